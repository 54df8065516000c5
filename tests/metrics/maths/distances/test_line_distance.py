import math

import numpy as np
import pytest

from ganvas.data.points.line_law import LineLaw
from ganvas.data.points.mixtures import MIXTURES, law_of
from ganvas.metrics.maths.distances.line_distance import wasserstein_error, wasserstein_to_law

UNIFORM = LineLaw(below=lambda x: x.clip(0, 1), mean_below=lambda x: x.clip(0, 1) ** 2 / 2, mean=0.5, reach=(0.0, 1.0))


def drawn(name, n, seed=0):
    return law_of(name).points(np.arange(n), seed=seed)[0][:, 0].astype(np.float64)


def test_one_number_is_its_mean_distance_away():
    # E |U - 1/4| = (1/4)^2 / 2 + (3/4)^2 / 2.
    assert wasserstein_to_law(np.array([0.25]), UNIFORM) == pytest.approx((1 / 16 + 9 / 16) / 2)
    assert wasserstein_to_law(np.array([3.0]), UNIFORM) == pytest.approx(2.5)


def test_middles_of_equal_parts_are_a_quarter_of_a_part_away():
    # Within each part of width 1/n the mean distance from its middle is 1/4n.
    n = 10
    assert wasserstein_to_law((np.arange(n) + 0.5) / n, UNIFORM) == pytest.approx(1 / (4 * n))


@pytest.mark.parametrize("name", ["pair", "segments", "line8", "pareto,alpha=3"])
def test_what_is_beyond_the_law_is_as_far_as_its_mean(name):
    line = law_of(name).on_a_line()
    at = float(line.quantiles(np.array([1 - 1e-9]))[0]) * 10
    assert wasserstein_to_law(np.full(7, at), line) == pytest.approx(at - line.mean, rel=1e-6)


def test_it_is_the_integral_of_the_difference_of_distribution_functions():
    line, numbers = MIXTURES["pair"].on_a_line(), drawn("pair", 50, seed=3) + 0.3
    grid = np.arange(-8, 8, 1e-4) + 5e-5
    empirical = (numbers[:, None] <= grid).mean(0)
    assert wasserstein_to_law(numbers, line) == pytest.approx(
        np.abs(empirical - line.below(grid)).sum() * 1e-4, abs=1e-5
    )


def test_a_law_or_numbers_without_a_mean_are_infinitely_far():
    assert wasserstein_to_law(drawn("pareto", 10), law_of("pareto,alpha=1").on_a_line()) == math.inf
    assert wasserstein_to_law(np.array([0.5, math.inf]), UNIFORM) == math.inf


def test_the_error_of_a_shifted_sample_is_that_of_its_mean():
    # All of G is to the right of F: W1 is the difference of the means, whose error is the deviation over root n.
    numbers = np.random.default_rng(0).uniform(2.0, 3.0, 400)
    assert wasserstein_error(numbers, UNIFORM) == pytest.approx(numbers.std(ddof=1) / 20)


def test_the_error_is_that_of_repeated_draws():
    line = MIXTURES["pair"].on_a_line()
    sets = [1.1 * drawn("pair", 1000, seed=seed) for seed in range(60)]
    spread = np.std([wasserstein_to_law(one, line) for one in sets], ddof=1)
    told = np.mean([wasserstein_error(one, line) for one in sets])
    assert told == pytest.approx(spread, rel=0.3)  # The deviation of 60 draws is known to a tenth.
