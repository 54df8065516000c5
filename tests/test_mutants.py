"""Planted faults (``make mutants``) can be planted: each pattern occurs exactly once in its file."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "scripts").glob("mutants*.toml"))


def faults_of(file):
    return tomllib.loads(file.read_text())["mutant"]


def times(fault):
    """How often its pattern occurs."""
    return (ROOT / fault["file"]).read_text(encoding="utf-8").count(fault["pattern"])


def test_there_are_faults():
    assert sum(len(faults_of(file)) for file in FILES) > 300


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_pattern_occurs_once(file):
    assert {fault["fault"]: times(fault) for fault in faults_of(file) if times(fault) != 1} == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_fault_changes_something_and_has_a_test(file):
    for fault in faults_of(file):
        assert fault["replacement"] != fault["pattern"], fault["fault"]
        assert all((ROOT / name.partition("::")[0]).exists() for name in fault["test"].split()), fault["fault"]
