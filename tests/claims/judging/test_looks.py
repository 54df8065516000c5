"""Looks that were not planned: evidence as printed and by quadrature, and how often a row of them is wrong."""

import dataclasses
import os

import numpy as np
import pytest

from ganvas.claims.judging import lock
from ganvas.claims.judging.claim import Case, Identity
from ganvas.claims.judging.looks import after_looks, earlier, judge_row, sign_evidence
from ganvas.claims.judging.running import Found, run

from .conftest import EXPERIMENT

FULL = bool(os.environ.get("GANVAS_SIMULATE"))
CLAIM = dataclasses.replace(
    EXPERIMENT,
    run=lambda arm, seeds: [3.0 + seed % 2 if arm == "a" else 0.0 for seed in seeds],
    seeds=12,
)


def row(effects, **changes):
    return judge_row(dataclasses.replace(CLAIM, **changes), list(effects), [0.0] * len(effects))


def test_evidence_of_straight_wins_is_as_published():
    found = list(sign_evidence(np.ones(12, bool)))
    assert [round(found[n - 1], 1) for n in (5, 6, 7, 8, 10, 12)] == [10.5, 18.1, 31.9, 56.8, 186.1, 630.1]


def test_evidence_is_the_likelihood_averaged_over_chances_of_winning():
    won = np.random.default_rng(3).random(40) < 0.6
    chances = 0.5 + (np.arange(20000) + 0.5) / 40000
    wins = won.sum()
    expected = (chances**wins * (1 - chances) ** (40 - wins)).mean() * 2.0**40
    assert list(sign_evidence(won))[-1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("effects", "says", "state"),
    [
        ([3.0] * 7, "more", "holds"),
        ([3.0] * 6, "more", "undecided"),
        ([0.5] * 7, "more", "fails"),
        ([-3.0] * 7, "less", "holds"),
        ([0.5, -0.5] * 4, "same", "holds"),
        ([3.0] * 8, "same", "fails"),
        ([1.0] * 30, "more", "undecided"),  # Neither above the smallest effect nor below it.
    ],
)
def test_a_row_is_decided_by_signs_beyond_the_smallest_effect(effects, says, state):
    assert row(effects, says=says).state == state


def test_what_a_row_said_it_goes_on_to_say_and_it_names_the_seeds_that_would_decide():
    decided = row([3.0] * 7)
    assert "evidence is 31.9 after 7 seeds" in decided.sentence
    assert row([3.0] * 7 + [-3.0] * 20).state == "holds"
    assert row([3.0] * 6).would_decide == 7
    assert row([3.0, -3.0] * 6).would_decide is None


@pytest.fixture
def own(tmp_path):
    """A claim of a person's own, locked."""
    path = tmp_path / "mine.py"
    path.write_text("CLAIM = 1\n")
    found = Found(name="mine", path=path, claim=CLAIM)
    digest = lock.lock(path)

    def look(n):
        return after_looks(found, digest, run(CLAIM, lock.judged_seeds(digest, n))).verdict

    return found, look


def test_the_designs_own_number_spends_the_error_and_more_seeds_decide_nothing(own):
    found, look = own
    assert look(12).state == "holds"
    raised = look(24)
    assert (raised.state, raised.p) == ("undecided", None)
    assert "that verdict stands" in raised.sentence
    assert "Lock a design with seeds=24" in raised.sentence
    assert look(12).state == "holds"
    assert earlier(found) == [12, 24]


def test_who_looks_with_another_number_first_goes_on_by_evidence_also_at_the_designs_own(own):
    found, look = own
    assert "As a row of looks" in look(5).sentence
    assert "As a row of looks" in look(12).sentence
    assert earlier(found) == [5, 12]
    lock.lock(found.path)
    assert earlier(found) == [5, 12]  # Locked as it was: the same design.
    found.path.write_text("CLAIM = 2\n")
    lock.lock(found.path)
    assert earlier(found) == []


def test_drafts_and_identities_have_no_looks(own):
    found, _ = own
    draft = run(CLAIM, range(5))
    assert after_looks(found, None, draft) is draft
    said = {"statement": "a is b.", "sources": CLAIM.sources, "scope": "numbers"}
    cases = lambda: [Case(name="one", error=0.0)]  # noqa: E731
    identity = Identity(**said, cases=cases, twin=cases, smallest_effect=0.0)
    outcome = run(identity, [])
    assert after_looks(dataclasses.replace(found, claim=identity), "digest", outcome) is outcome
    assert earlier(found) == []


@pytest.mark.simulate
def test_a_row_of_growing_looks_finds_a_claim_against_itself_true_at_most_so_often_as_alpha_says():
    # A/A with next to no smallest effect: the hardest. What has crossed once stays, so one long row is all its looks.
    rows, most = (4000, 400) if FULL else (250, 100)
    random = np.random.default_rng(31)
    held = 0
    for _ in range(rows):
        evidence = sign_evidence(random.normal(size=most) > 1e-9)
        held += any(one >= 20 for one in evidence)
    assert held / rows <= 0.05 + 3 * (0.05 * 0.95 / rows) ** 0.5
