import math

import numpy as np
import pytest

from ganvas.metrics.maths.support_size import support_size, support_size_error, twin_probability, twins


def points_of(things, n, seed):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, things, n), np.zeros(n)], axis=1).astype(np.float64)


def test_twins_of_four_points_by_hand():
    points = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 1.5], [9.0, 9.0]])
    counts = twins(points, within=1.0)
    assert counts.tolist() == [1, 2, 1, 0]
    assert support_size(counts) == 12 / 4


@pytest.mark.parametrize("things", [20, 1000])
def test_a_copier_of_some_points_is_sized_at_their_number(things):
    sizes = [twins(points_of(things, 1000, seed), within=0.5) for seed in range(30)]
    values = [support_size(counts) for counts in sizes]
    errors = [support_size_error(counts) for counts in sizes]
    spread = float(np.std(values, ddof=1))
    assert np.mean(values) == pytest.approx(things, abs=4 * spread / math.sqrt(30) + spread**2 / things)
    assert np.mean(errors) == pytest.approx(spread, rel=0.4)


def test_things_that_are_not_equally_frequent_count_by_their_collisions():
    # 1 / (1/4 + 50 * 0.01^2): half of the points are one thing, the others one of fifty.
    rng = np.random.default_rng(0)
    which = np.where(rng.random(4000) < 0.5, 0, 1 + rng.integers(0, 50, 4000))
    counts = twins(which[:, None].astype(np.float64), within=0.5)
    assert support_size(counts) == pytest.approx(1 / 0.255, rel=0.1)


def test_points_that_are_all_apart_have_no_size():
    counts = twins(np.arange(10.0)[:, None], within=0.5)
    assert support_size(counts) == math.inf
    assert support_size_error(counts) is None


def test_a_point_that_is_not_finite_has_no_twin():
    assert twins(np.array([[math.nan], [0.0], [0.0], [math.inf]]), within=1.0).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(("batch", "things"), [(12, 100), (37, 1000)])
def test_batches_have_twins_as_often_as_the_birthday_paradox_says(batch, things):
    rng = np.random.default_rng(1)
    found = [len(np.unique(rng.integers(0, things, batch))) < batch for _ in range(4000)]
    assert np.mean(found) == pytest.approx(twin_probability(batch, things), abs=0.04)
