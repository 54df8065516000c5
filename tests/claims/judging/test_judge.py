"""Verdicts by hand, and how often they are wrong."""

import dataclasses
import math
import os

import numpy as np
import pytest

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.judge import half_width, holm, judge_experiment, judge_identity
from ganvas.core.errors import UserError

from .conftest import EXPERIMENT

FULL = bool(os.environ.get("GANVAS_SIMULATE"))
SOURCES = (Source(who="someone", stance="agrees"),)
IDENTITY = Identity(
    statement="a is b.",
    sources=SOURCES,
    scope="numbers",
    cases=list,
    twin=list,
    smallest_effect=0.1,
    holds_when="it is small",
)


def verdict(effects, **changes):
    """Of differences, on top of a seed's own luck that is the same in both arms and far larger."""
    luck = np.linspace(-1e3, 1e3, len(effects))
    first, second = (luck + np.array(effects)).tolist(), luck.tolist()
    return judge_experiment(dataclasses.replace(EXPERIMENT, **changes), first, second)


def test_the_interval_is_mean_and_t_times_the_standard_error():
    found = verdict([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.132 * math.sqrt(2.5 / 5)
    assert (found.low, found.high) == (pytest.approx(3 - half, abs=1e-3), pytest.approx(3 + half, abs=1e-3))
    assert half_width(math.sqrt(2.5), 5, alpha=0.05) == pytest.approx(half, abs=1e-3)


def test_shared_luck_of_a_seed_does_not_widen_the_interval():
    assert verdict([3.0, 3.1, 2.9, 3.0]).state == "holds"


@pytest.mark.parametrize(
    ("effects", "state", "told"),
    [
        ([3.0, 3.2, 2.8, 3.1], "holds", "difference 3.0"),
        ([0.1, 0.2, 0.15, 0.1], "fails", "smaller than that"),
        ([-3.0, -3.2, -2.8, -3.1], "fails", "other way round"),
        ([0.0, 3.0, 1.0, 2.0], "undecided", "would decide"),
    ],
)
def test_the_state_is_where_the_interval_lies_by_the_smallest_effect(effects, state, told):
    found = verdict(effects)
    assert found.state == state
    assert told in found.sentence


def test_less_is_more_with_the_arms_exchanged():
    found = verdict([-3.0, -3.2, -2.8, -3.1], says="less")
    assert found.state == "holds"
    assert found.value == pytest.approx(-3.025)
    assert found.low < found.value < found.high < -1


@pytest.mark.parametrize(("shift", "state"), [(0.0, "holds"), (3.0, "fails"), (-3.0, "fails"), (1.0, "undecided")])
def test_the_same_means_within_the_smallest_effect(shift, state):
    assert verdict([shift - 0.1, shift, shift + 0.1, shift], says="same").state == state


def test_so_many_seeds_would_decide_and_one_less_would_not():
    effects = [0.2, 3.0, 1.0, 2.4]  # Mean 1.65, threshold 1.
    needed = verdict(effects).would_decide
    deviation, gap = np.std(effects, ddof=1), 0.65
    half = {n: _t95(n) * deviation / math.sqrt(n) for n in (needed - 1, needed)}
    assert half[needed] < gap <= half[needed - 1]


def _t95(n):
    """Upper 5 % point by Hill's expansion around the normal one, good to 1e-3 from ten degrees of freedom on."""
    z, v = 1.6448536, n - 1
    return z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)


def test_ratios_are_judged_by_their_logarithms():
    claim = dataclasses.replace(EXPERIMENT, ratio=True, smallest_effect=1.5)
    found = judge_experiment(claim, [2.0, 8.0, 32.0], [1.0, 4.0, 16.0])
    assert (found.state, found.value) == ("holds", pytest.approx(2.0))


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [([1.0], [1.0], "no spread"), ([1.0, 2.0], [1.0], "one number per seed"), ([1.0, math.nan], [1.0, 1.0], "finite")],
)
def test_values_that_cannot_be_judged_are_refused(first, second, told):
    with pytest.raises(UserError, match=told):
        judge_experiment(EXPERIMENT, first, second)


def test_an_identity_is_judged_by_its_largest_error_and_names_the_case():
    right, wrong = Case(name="right", error=0.05), Case(name="wrong", error=0.5)
    outside = dataclasses.replace(wrong, inside=False)
    assert judge_identity(IDENTITY, [right]).state == "holds"
    assert judge_identity(IDENTITY, [right, outside]).state == "half true"
    found = judge_identity(IDENTITY, [right, wrong])
    assert (found.state, found.counterexample, found.value) == ("fails", "wrong", 0.5)


def test_an_error_that_is_no_number_is_the_worst():
    assert judge_identity(IDENTITY, [Case(name="nan", error=math.nan), Case(name="b", error=0.0)]).state == "fails"


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]


@pytest.mark.simulate
def test_a_claim_against_itself_holds_at_most_so_often_as_alpha_says():
    # A/A: both arms are one. A threshold of next to nothing is the hardest that a judge can be asked.
    families, members, seeds = (2000, 10, 8) if FULL else (150, 5, 8)
    claim = dataclasses.replace(EXPERIMENT, smallest_effect=1e-9)
    random = np.random.default_rng(17)
    alone, whole = 0, 0
    for _ in range(families):
        found = [judge_experiment(claim, *random.normal(size=(2, seeds)).tolist()) for _ in range(members)]
        alone += sum(one.state == "holds" for one in found)
        adjusted = holm([one.p for one in found])
        whole += any(p < 0.05 and one.value > 0 for p, one in zip(adjusted, found, strict=True))
    error = math.sqrt(0.05 * 0.95 / families)
    assert alone / families / members <= 0.05 + 3 * error / math.sqrt(members)
    assert whole / families <= 0.05 + 3 * error


@pytest.mark.simulate
def test_a_planted_effect_of_the_tables_size_is_found_four_times_out_of_five():
    # 12 seeds at 5 %: 0.77 deviations beyond the threshold, as the printed table of power says.
    runs = 6000 if FULL else 400
    random = np.random.default_rng(23)
    effects = 1.0 + 0.77 + random.normal(size=(runs, 12))
    found = sum(verdict(one.tolist()).state == "holds" for one in effects)
    assert found / runs == pytest.approx(0.8, abs=0.03 if FULL else 0.03 + 3 * math.sqrt(0.16 / runs))


def test_pairs_that_are_taken_apart_widen_the_interval():
    luck = np.linspace(-10, 10, 12)
    first, second = (luck + 3).tolist(), luck.tolist()
    assert judge_experiment(EXPERIMENT, first, second).state == "holds"
    assert judge_experiment(EXPERIMENT, first, second[::-1]).state == "undecided"
