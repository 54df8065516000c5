"""Five verbs on networks by others: nothing that was done may be refused, and nothing may crash that did not."""

import itertools
import json
from pathlib import Path

import pytest
from architectures import NETWORKS
from five_verbs import VERBS, counts, missing, outcomes, rank

ROOT = Path(__file__).parents[2]
KNOWN = json.loads(Path(__file__).with_name("outcomes.json").read_text(encoding="utf-8"))


def recorded():
    lines = (ROOT / "benchmarks" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [line["values"] for line in map(json.loads, lines) if line["name"] == "foreign"]


def test_at_least_sixty_networks_by_others_are_known():
    assert len(KNOWN) >= 60
    assert set(KNOWN) <= set(NETWORKS)


def test_refusals_crashes_and_wrong_figures_have_only_fallen():
    history = recorded()
    assert counts(KNOWN).items() <= history[-1].items()
    for before, after in itertools.pairwise(history):
        if after["networks"] == before["networks"]:
            assert all(after[count] <= before[count] for count in ("refused", "crashed", "figures_that_differ"))


@pytest.mark.parametrize("name", KNOWN)
def test_what_was_done_is_done_and_figures_are_theirs(name, tmp_path):
    if missing(name):
        pytest.skip(f"needs {NETWORKS[name].module.partition('.')[0]}: make foreign")
    found = outcomes(name, tmp_path)
    worse = {verb: found[verb] for verb in VERBS if rank(found[verb]) > rank(KNOWN[name][verb])}
    assert not worse
    for figure in ("parameters", "macs"):
        if KNOWN[name].get(figure) == "equal":
            assert found[figure] == "equal"
