"""Trends and shares of runs: verdicts by hand and in closed form, and how often they are wrong."""

import dataclasses
import math
import os

import numpy as np
import pytest

from ganvas.claims.judging import shares
from ganvas.claims.judging.family import JudgedExperiment, alone, finds_planted
from ganvas.claims.judging.judge import judge_experiment
from ganvas.claims.judging.looks import judge_row
from ganvas.claims.judging.trends import in_order, rises
from ganvas.core.errors import UserError

from .conftest import EXPERIMENT

FULL = bool(os.environ.get("GANVAS_SIMULATE"))
TREND = dataclasses.replace(EXPERIMENT, arms=("a", "b", "c", "d"), doses=(0.0, 1.0, 2.0, 3.0))
SHARE = dataclasses.replace(EXPERIMENT, share=True, smallest_effect=0.25)
LUCK = np.linspace(-1e3, 1e3, 6)  # Of a seed, shared by all levels.


def levels(*means):
    """Values of every level and seed: its mean, a seed's own luck, and a little that differs."""
    return [(mean + LUCK + 0.1 * np.cos(np.arange(6) * (k + 1))).tolist() for k, mean in enumerate(means)]


@pytest.mark.parametrize(
    ("means", "says", "state"),
    [
        ((0, 1, 2, 3), "more", "holds"),
        ((0, 0.1, 0.2, 0.3), "more", "fails"),
        ((3, 2, 1, 0), "more", "fails"),
        ((3, 2, 1, 0), "less", "holds"),
        ((0, 0.1, 0.0, 0.1), "same", "holds"),
        ((0, 1, 2, 3), "same", "fails"),
    ],
)
def test_a_trend_is_judged_by_how_far_its_line_rises(means, says, state):
    assert judge_experiment(dataclasses.replace(TREND, says=says), *levels(*means)).state == state


def test_the_interval_of_a_trend_is_that_of_its_rises():
    values = levels(0, 2, 1, 4)
    found = judge_experiment(TREND, *values)
    by_hand = [np.polyfit(TREND.doses, one, 1)[0] * 3 for one in np.array(values).T]
    of_rises = judge_experiment(EXPERIMENT, by_hand, [0.0] * 6)
    assert (found.low, found.value, found.high) == pytest.approx((of_rises.low, of_rises.value, of_rises.high))


def test_a_ratio_over_doses_is_a_factor_from_the_first_to_the_last():
    claim = dataclasses.replace(TREND, ratio=True, smallest_effect=2.0)
    found = judge_experiment(claim, *([2.0**k * luck for luck in (1.0, 5.0, 9.0)] for k in range(4)))
    assert (found.state, found.value) == ("holds", pytest.approx(8.0))


def test_what_rises_and_falls_again_has_no_trend_and_no_order():
    values = np.array([[0.0, 1.0], [1.0, 2.0], [1.0, 2.0], [0.0, 1.0]])
    assert rises(values, TREND.doses) == pytest.approx([0.0, 0.0])
    assert in_order(values.tolist()) == 0.5


@pytest.mark.parametrize("n", [3, 8, 12])
def test_of_runs_that_diverge_in_one_arm_alone_the_bound_is_a_power(n):
    # All n differ one way; were the shares to differ by d, that has a chance of ((1 + d) / 2)^n at most.
    low, high = shares.bounds(n, n, 0.05)
    assert (low, high) == (pytest.approx(2 * 0.05 ** (1 / n) - 1, abs=1e-9), 1.0)
    assert shares.bounds(-n, n, 0.05) == (-1.0, pytest.approx(-low))


@pytest.mark.parametrize(("win", "loss"), [(0.5, 0.5), (0.3, 0.05), (0.7, 0.3), (0.1, 0.4), (0.9, 0.0)])
def test_neither_bound_is_wrong_more_often_than_it_says(win, loss):
    # The law of wins and losses among eight seeds as a sum over both counts.
    above = below = 0.0
    for wins in range(9):
        for losses in range(9 - wins):
            ways = math.comb(8, wins) * math.comb(8 - wins, losses)
            chance = ways * win**wins * loss**losses * (1 - win - loss) ** (8 - wins - losses)
            low, high = shares.bounds(wins - losses, 8, 0.05)
            above += chance * (low > win - loss)
            below += chance * (high < win - loss)
    assert max(above, below) <= 0.05


@pytest.mark.parametrize(
    ("first", "second", "says", "state"),
    [
        ([1] * 12, [0] * 12, "more", "holds"),
        ([0] * 12, [1] * 12, "less", "holds"),
        ([0] * 12, [1] * 12, "more", "fails"),
        ([1] * 3, [0] * 3, "more", "undecided"),
        ([1] * 64, [1] * 64, "same", "holds"),
        ([1] * 12, [0] * 12, "same", "fails"),
    ],
)
def test_shares_of_runs_are_judged_by_exact_bounds(first, second, says, state):
    found = judge_experiment(dataclasses.replace(SHARE, says=says), first, second)
    assert found.state == state
    assert found.p is not None
    assert (found.p <= 0.05) == (state != "undecided")
    assert alone(JudgedExperiment(claim=dataclasses.replace(SHARE, says=says), verdict=found)).state == state


def test_so_many_seeds_would_decide_a_share():
    found = judge_experiment(SHARE, [1] * 3, [0] * 3)  # All three: the bound passes .25 at .625^n = .05.
    assert found.would_decide == math.ceil(math.log(0.05) / math.log(0.625))
    assert found.detectable is None
    assert not finds_planted(JudgedExperiment(claim=SHARE, verdict=found))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"arms": ("a", "b", "c"), "doses": (0, 1)}, "as many arms"),
        ({"arms": ("a", "b"), "doses": (0, 1)}, "3 or more"),
        ({"arms": ("a", "b", "c"), "doses": (0, 2, 1)}, "must rise from arm to arm"),
        ({"share": True, "ratio": True, "smallest_effect": 1.5}, "leave ratio and doses out"),
        ({"share": True, "smallest_effect": 0.75}, "must be .5 at most"),
    ],
)
def test_kinds_that_cannot_be_judged_are_refused(change, told):
    with pytest.raises(UserError, match=told):
        dataclasses.replace(EXPERIMENT, **change)


def test_a_share_is_of_runs_that_diverged_or_did_not():
    with pytest.raises(UserError, match=r"Arm 'b' gave 0.5 where values must be 1 of a run that diverged"):
        judge_experiment(SHARE, [1, 1], [0, 0.5])


def test_a_row_of_looks_at_shares_asks_for_their_mean_and_not_for_most_of_them():
    # Six of ten win and four lose: most lie beyond a quarter, and the mean does not.
    first, second = [1, 1, 1, 0, 0] * 60, [0, 0, 0, 1, 1] * 60
    assert judge_row(SHARE, first, second).state != "holds"
    assert judge_row(SHARE, [1] * 12, [0] * 12).state == "holds"


@pytest.mark.simulate
def test_trends_and_shares_of_nothing_hold_at_most_so_often_as_alpha_says():
    # A/A: all levels are one law, of next to no smallest effect; shares differ by the smallest effect and no more.
    families = 2000 if FULL else 150
    random = np.random.default_rng(37)
    trend = dataclasses.replace(TREND, smallest_effect=1e-9)
    runs = random.normal(size=(families, 4, 8))
    diverged = random.random((families, 2, 12)) < np.array([[0.6], [0.35]])
    trends = sum(judge_experiment(trend, *one.tolist()).state == "holds" for one in runs)
    held = sum(judge_experiment(SHARE, *one.astype(float).tolist()).state == "holds" for one in diverged)
    effects = diverged[:, 0].astype(float) - diverged[:, 1]
    rows = sum(max(shares.betting_evidence(one, 0.25)) >= 20 for one in effects)
    assert max(trends, held, rows) / families <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / families)


@pytest.mark.simulate
def test_planted_trends_and_shares_are_found_four_times_out_of_five():
    # A rise over 0, 1, 2, 3 has 3 / sqrt(5) of the deviation of one value; .77 of that is the table's of 12 seeds.
    times = 4000 if FULL else 250
    random = np.random.default_rng(41)
    beyond = 1 + 0.77 * 3 / math.sqrt(5)
    values = random.normal(size=(times, 4, 12)) + beyond * np.arange(4)[:, None] / 3
    detectable = shares.detectable(12, 0.05, 0.25)
    assert detectable is not None
    diverged = random.random((times, 12)) < 0.25 + detectable
    trends = sum(judge_experiment(TREND, *one.tolist()).state == "holds" for one in values)
    held = sum(judge_experiment(SHARE, one.astype(float).tolist(), [0.0] * 12).state == "holds" for one in diverged)
    within = 0.03 if FULL else 0.03 + 3 * math.sqrt(0.16 / times)
    assert (trends / times, held / times) == (pytest.approx(0.8, abs=within), pytest.approx(0.8, abs=within))
