"""Planted faults (``make mutants``) can be planted: each pattern occurs exactly once in its file."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FAULTS = [
    one
    for path in sorted((ROOT / "scripts").glob("mutants*.toml"))
    for one in tomllib.loads(path.read_text())["mutant"]
]


def test_there_are_faults():
    assert len(FAULTS) > 300


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["fault"])
def test_its_pattern_occurs_once(fault):
    assert (ROOT / fault["file"]).read_text(encoding="utf-8").count(fault["pattern"]) == 1
    assert fault["replacement"] != fault["pattern"]
    assert all((ROOT / name.partition("::")[0]).exists() for name in fault["test"].split())
