import numpy as np
import pytest
import torch

from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.maths.distances import mmd
from ganvas.metrics.maths.distances.polynomial import Polynomial


def normal(n, d, *, random, deviation=1.0):
    return deviation * torch.randn(n, d, generator=random, dtype=torch.float64)


def linear(x, y):
    return x @ y.T


@pytest.fixture
def x(rng):
    return normal(9, 3, random=rng)


@pytest.fixture
def y(rng):
    return normal(7, 3, random=rng, deviation=1.5)


def both(x, y, kernel):
    prepare = getattr(kernel, "tile", lambda rows: rows)
    return mmd.discrepancy(mmd.rowset(x, prepare), mmd.rowset(y, prepare), kernel)


def test_the_biased_discrepancy_of_a_linear_kernel_is_the_squared_difference_of_the_means(x, y):
    expected = float((x.mean(0) - y.mean(0)).square().sum())
    assert both(x, y, linear).biased == pytest.approx(expected, rel=1e-12)


def test_the_unbiased_one_leaves_out_pairs_of_a_row_with_itself(x, y):
    expected = 0.0
    for rows in (x, y):
        n = len(rows)
        expected += sum(float(rows[i] @ rows[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    expected -= 2 * float(x.mean(0) @ y.mean(0))
    assert both(x, y, linear).unbiased == pytest.approx(expected, rel=1e-12)


def test_centred_squares_are_those_of_the_centred_matrices(x, y):
    """U-centring of the matrix within, double centring of the one between, written out."""
    kernel, n, m = Polynomial(torch.zeros(3)), len(x), len(y)
    within = kernel(kernel.tile(x), kernel.tile(x)).fill_diagonal_(0)
    rows = within.sum(1)
    centred = within - rows[:, None] / (n - 2) - rows / (n - 2) + rows.sum() / ((n - 1) * (n - 2))
    centred.fill_diagonal_(0)
    between = kernel(kernel.tile(x), kernel.tile(y))
    apart = between - between.mean(1, keepdim=True) - between.mean(0) + between.mean()
    found = both(x, y, kernel)
    assert found.second_x == pytest.approx(float(centred.square().sum()) / (n * (n - 3)), rel=1e-10)
    assert found.cross == pytest.approx(float(apart.square().sum()) / ((n - 1) * (m - 1)), rel=1e-10)


@pytest.mark.parametrize("tile", [2, 5, 100])
def test_the_size_of_the_tiles_changes_nothing(x, y, tile, monkeypatch):
    whole = both(x, y, Polynomial(torch.zeros(3)))
    monkeypatch.setattr(mmd, "TILE", tile)
    assert vars(both(x, y, Polynomial(torch.zeros(3)))) == pytest.approx(vars(whole), rel=1e-12)


def test_rows_of_an_accumulator_are_read_in_the_order_of_their_places(x, monkeypatch):
    monkeypatch.setattr(mmd, "READ", 4)
    FeatureRows.Config = object
    side = FeatureRows()
    order = torch.randperm(9, generator=torch.Generator().manual_seed(3))
    side.update(x[order], index=order)
    found = mmd.kept(side, lambda rows: rows)
    assert found.n == 9
    assert torch.equal(torch.cat(list(found.tiles(0))), x)
    assert torch.equal(torch.cat(list(found.tiles(1))), x[4:])


@pytest.mark.slow
@pytest.mark.parametrize(("n", "m", "deviation"), [(12, 12, 1.0), (20, 12, 1.4), (8, 30, 1.0)])
def test_the_variance_is_without_bias(n, m, deviation, rng):
    """Over new draws: the mean of the estimates is the variance of the values."""
    values, variances = [], []
    for _ in range(600):
        found = both(normal(n, 3, random=rng, deviation=deviation), normal(m, 3, random=rng), linear)
        values.append(found.unbiased)
        first = 4 * found.first_x / n + 4 * found.first_y / m  # Unclamped: single ones may be negative.
        own = 2 * found.second_x / (n * (n - 1)) + 2 * found.second_y / (m * (m - 1))
        variances.append(first + own + 4 * found.cross / (n * m))
    # The variance of 600 values with these tails is known to 8 %.
    assert np.mean(variances) == pytest.approx(np.var(values), rel=0.25)


def test_below_four_rows_the_parts_of_the_variance_are_not_told_apart(x):
    assert np.isnan(both(x[:3], x, linear).second_x)
    assert np.isfinite(both(x[:3], x, linear).unbiased)
