import math

import numpy as np
import pytest

from ganvas.data.points.mixtures import MIXTURES
from ganvas.metrics.maths.mode_coverage import count_modes, mode_results

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
EVEN = np.full(4, 0.25)


def counted(points, shares=EVEN, **how):
    return count_modes(np.asarray(points, np.float64), CENTRES, sigma=0.5, shares=shares, **how)


def test_a_sample_counts_at_its_nearest_mode_within_three_sigmas():
    found = counted([[1.5, 0], [0, -1.49], [1.1, 1.1], [10, 1.51], [9.9, 9.9], [5, 5]])
    assert found.per_mode.tolist() == [2, 0, 0, 1]  # (1.1, 1.1) is 1.556 away, (10, 1.51) 1.51.
    assert found.reached == 2
    assert found.high_quality == 3 / 6


def test_a_mode_may_need_more_than_one_sample():
    points = [[0, 0], [0, 0], [10, 0]]
    assert [counted(points, least=least).reached for least in (1, 2, 3)] == [2, 1, 0]


def test_the_divergence_of_half_the_modes_is_the_logarithm_of_two():
    assert counted([[0, 0], [10, 0], [0, 0], [10, 0]]).reverse_kl == pytest.approx(math.log(2))
    assert counted(CENTRES).reverse_kl == 0
    uneven = np.array([0.5, 0.25, 0.125, 0.125])
    assert counted(CENTRES, shares=uneven).reverse_kl == pytest.approx((math.log(0.5) + 2 * math.log(2)) / 4)


def test_without_a_sample_at_any_mode_the_divergence_is_infinite():
    found = counted([[5, 5]])
    assert (found.reached, found.high_quality, found.reverse_kl) == (0, 0, math.inf)


def test_what_is_not_finite_lies_at_no_mode():
    found = counted([[math.nan, 0], [math.inf, 0], [0, 0]])
    assert found.per_mode.tolist() == [1, 0, 0, 0]
    assert found.high_quality == pytest.approx(1 / 3)


def test_samples_at_one_mode_are_not_taken_for_certain():
    (_, _, one), (_, _, five) = (
        mode_results(np.zeros((n, 2)), CENTRES, sigma=0.5, shares=np.full(4, 0.25), seed=0, law="square")
        for n in (1, 5)
    )
    # With half a sample more at every mode the shares are (1.5, 0.5, 0.5, 0.5) / 3, which are 2 and 2/3 times 1/4.
    mean, second = (0.5 * math.log(2) ** k + 0.5 * math.log(2 / 3) ** k for k in (1, 2))
    assert one.standard_error == pytest.approx(math.sqrt(second - mean**2))
    assert 0 < five.standard_error < one.standard_error
    none = mode_results(np.full((3, 2), 99.0), CENTRES, sigma=0.5, shares=np.full(4, 0.25), seed=0, law="square")[2]
    assert (none.value, none.standard_error) == (math.inf, None)
    assert none.to_plain() | {"value": None, "not_finite": "inf"} == none.to_plain()


def results(n, seed=0):
    law = MIXTURES["grid25"]
    points, _ = law.points(np.arange(n), seed=seed)
    return mode_results(points, law.centres, sigma=law.sigma, shares=law.shares, seed=seed, law="grid25")


def test_the_law_itself_reaches_every_mode_with_rayleighs_share():
    modes, share, divergence = results(20_000)
    assert (modes.value, modes.standard_error) == (25, pytest.approx(0, abs=1e-9))
    assert share.value == pytest.approx(1 - math.exp(-4.5), abs=4 * share.standard_error)
    assert divergence.value == pytest.approx(24 / 2 / 20_000, rel=1)  # The bias of n samples.
    assert modes.protocol == "modes:grid25:k25:within-3-sigma:n20000"


def test_standard_errors_are_those_of_other_draws():
    draws = [results(60, seed) for seed in range(200)]
    values = np.array([[one.value for one in draw] for draw in draws])
    errors = np.array([[one.standard_error for one in draw] for draw in draws])
    spread, told = values.std(0), errors.mean(0)
    assert told[1] == pytest.approx(spread[1], rel=0.25)
    assert 0.5 < told[0] / spread[0] < 2  # Missed modes add nothing, scarce ones too much.


def test_results_say_which_way_is_better_and_how_sure_they_are():
    modes, share, divergence = results(500)
    assert [one.better for one in (modes, share, divergence)] == ["higher", "higher", "lower"]
    assert share.standard_error == pytest.approx(math.sqrt(share.value * (1 - share.value) / 500), abs=0.0005)
    assert {one.n for one in (modes, share, divergence)} == {500}
