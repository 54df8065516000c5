import itertools

import numpy as np
import pytest

from ganvas.metrics.maths.best_of_k import bootstrap_interval, expected_best


@pytest.mark.parametrize("lower", [True, False])
def test_it_is_the_mean_of_the_best_over_all_subsets(lower):
    values = np.random.default_rng(0).normal(size=7)
    best = min if lower else max
    wanted = [np.mean([best(subset) for subset in itertools.combinations(values, k)]) for k in range(1, 8)]
    np.testing.assert_allclose(expected_best(values, lower_is_better=lower), wanted, rtol=1e-12)


def test_the_best_of_k_of_a_grid_is_that_of_order_statistics():
    # The greatest of k of {1, ..., n} without replacement has the mean k (n + 1) / (k + 1).
    n = 20
    wanted = [k * (n + 1) / (k + 1) for k in range(1, n + 1)]
    np.testing.assert_allclose(expected_best(np.arange(1.0, n + 1), lower_is_better=False), wanted, rtol=1e-12)


def test_the_best_of_k_of_many_uniform_numbers_has_no_bias():
    # Of uniform numbers the greatest of k has the mean k / (k + 1); 400 searches of 12 have a standard error below .01.
    rng = np.random.default_rng(0)
    mean = np.mean([expected_best(rng.uniform(size=12), lower_is_better=False)[[0, 2, 5]] for _ in range(400)], axis=0)
    np.testing.assert_allclose(mean, [1 / 2, 3 / 4, 6 / 7], atol=0.015)


def test_the_interval_holds_the_curve_and_is_a_point_where_all_values_are_one():
    values = np.random.default_rng(0).normal(size=10)
    low, high = bootstrap_interval(values, lower_is_better=True, rng=np.random.default_rng(1))
    found = expected_best(values, lower_is_better=True)
    assert (low[:5] < found[:5]).all()
    assert (found[:5] < high[:5]).all()
    same = bootstrap_interval(np.full(4, 3.0), lower_is_better=True, rng=np.random.default_rng(1))
    np.testing.assert_allclose(same, np.full((2, 4), 3.0))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    # The best of 3 of uniform numbers is 1/4 on average; a bootstrap of 24 values covers a little less than 95 %.
    rng, covered = np.random.default_rng(0), 0
    for _ in range(120):
        low, high = bootstrap_interval(rng.uniform(size=24), lower_is_better=True, rng=rng, resampled=200)
        covered += low[2] <= 1 / 4 <= high[2]
    assert 0.8 < covered / 120 <= 1.0
