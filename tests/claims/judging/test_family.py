"""Verdicts among many: Holm by hand, and controls."""

import dataclasses
import os

import numpy as np
import pytest

from ganvas.claims.judging.family import JudgedExperiment, adjusted, alone, finds_planted, planted, settled
from ganvas.claims.judging.judge import judge_experiment, judge_spread

from .conftest import EXPERIMENT

FULL = bool(os.environ.get("GANVAS_SIMULATE"))


def judged(mean, *, n=12, **changes):
    """A claim with effects of this mean and a deviation of 1."""
    claim = dataclasses.replace(EXPERIMENT, **changes)
    return JudgedExperiment(claim=claim, verdict=judge_spread(claim, mean, 1.0, n))


def test_what_holds_alone_is_undecided_where_its_adjusted_p_does_not_hold():
    # One-sided t of 1.95 at 11 degrees: p = .0385, which Holm takes times two beside another that is undecided.
    members = {"weak": judged(1 + 1.95 / 12**0.5), "none": judged(1.0), "strong": judged(3.0)}
    assert members["weak"].verdict.state == "holds"
    assert adjusted(members)["weak"] == pytest.approx(2 * 0.0385, abs=1e-3)
    found = settled(members)
    assert {name: one.state for name, one in found.items()} == {
        "weak": "undecided",
        "none": "undecided",
        "strong": "holds",
    }
    assert "Alone it holds, among the 3 of its family it is undecided. About" in found["weak"].sentence
    assert (found["weak"].low, found["weak"].high) == (members["weak"].verdict.low, members["weak"].verdict.high)


def test_as_many_seeds_as_are_said_would_decide_at_the_level_of_the_family():
    members = {"weak": judged(1 + 1.95 / 12**0.5), "none": judged(1.0)}
    needed = settled(members)["weak"].would_decide
    assert needed is not None
    assert judge_spread(EXPERIMENT, 1 + 1.95 / 12**0.5, 1.0, needed, level=0.025).state == "holds"
    assert judge_spread(EXPERIMENT, 1 + 1.95 / 12**0.5, 1.0, needed - 1, level=0.025).state == "undecided"


def test_a_family_that_is_settled_stays_as_it_is_and_remembers_what_each_is_alone():
    members = {"weak": judged(1 + 1.95 / 12**0.5), "none": judged(1.0), "strong": judged(3.0)}
    once = settled(members)
    again = {name: dataclasses.replace(members[name], verdict=verdict) for name, verdict in once.items()}
    assert settled(again) == once
    assert alone(again["weak"]).state == "holds"


@pytest.mark.parametrize(("says", "mean"), [("more", 1.2), ("less", -1.2), ("same", 0.2)])
@pytest.mark.parametrize("ratio", [False, True])
def test_mean_and_deviation_are_read_back_from_an_interval(says, mean, ratio):
    one = judged(mean, says=says, ratio=ratio, smallest_effect=1.5)
    assert alone(one).sentence == one.verdict.sentence
    assert alone(one).p == pytest.approx(one.verdict.p)


@pytest.mark.parametrize(("says", "state"), [("more", "holds"), ("less", "holds"), ("same", "fails")])
def test_a_planted_effect_is_found_where_there_are_seeds_enough(says, state):
    # Half the interval is t / sqrt(n): 1.895 / sqrt(8) < 1 < 2.015 / sqrt(4); the planted effect is 1 beyond.
    assert planted(judged(0.0, n=8, says=says)).state == state
    assert finds_planted(judged(0.0, n=8, says=says))
    few = planted(judged(0.0, n=4, says=says))
    assert (few.state, few.would_decide) == ("undecided", 5)  # 2.132 / sqrt(5) is below 1.


@pytest.mark.simulate
def test_a_family_of_claims_against_themselves_has_a_wrong_verdict_at_most_so_often_as_alpha_says():
    families, members, seeds = (2000, 10, 8) if FULL else (15, 5, 8)
    claim = dataclasses.replace(EXPERIMENT, smallest_effect=1e-9)
    random = np.random.default_rng(29)
    wrong = 0
    for _ in range(families):
        values = random.normal(size=(members, 2, seeds))
        found = {
            str(k): JudgedExperiment(claim=claim, verdict=judge_experiment(claim, first.tolist(), second.tolist()))
            for k, (first, second) in enumerate(values)
        }
        wrong += any(verdict.state == "holds" for verdict in settled(found).values())
    assert wrong / families <= 0.05 + 3 * (0.05 * 0.95 / families) ** 0.5
