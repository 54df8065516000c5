import numpy as np
import pytest
import torch

from ganvas.metrics.maths.distances.polynomial import Polynomial


def plain(x, y, degree, gamma, coef0):
    return (gamma * x.double().numpy() @ y.double().numpy().T + coef0) ** degree


@pytest.mark.parametrize(("degree", "gamma", "coef0"), [(3, None, 1.0), (1, 1.0, 0.0), (2, 0.5, 0.3), (5, 0.1, -0.2)])
def test_it_is_the_kernel_less_one_constant(degree, gamma, coef0, rng):
    x, y, centre = (torch.randn(*shape, generator=rng, dtype=torch.float64) for shape in ((9, 6), (7, 6), (6,)))
    kernel = Polynomial(centre, degree=degree, gamma=gamma, coef0=coef0)
    how = (degree, gamma or 1 / 6, coef0)
    level = plain(centre[None], centre[None], *how)[0, 0]
    found = kernel(kernel.tile(x), kernel.tile(y)).numpy()
    np.testing.assert_allclose(found, plain(x, y, *how) - level, rtol=1e-12, atol=1e-12 * abs(level))


def test_float32_keeps_the_digits_of_rows_that_lie_far_from_zero(rng):
    """Around 0.5 with a deviation of 0.3, as features after a ReLU: the plain form rounds at 1e-7 of kernels of 2."""
    x, y = (0.5 + 0.3 * torch.randn(64, 2048, generator=rng) for _ in range(2))
    centre = (x.mean(0) + y.mean(0)) / 2
    kernel = Polynomial(centre)
    expected = plain(x, y, 3, 1 / 2048, 1.0) - plain(centre[None], centre[None], 3, 1 / 2048, 1.0)
    off = kernel(kernel.tile(x), kernel.tile(y)).double().numpy() - expected
    straight = (x @ y.T / 2048 + 1) ** 3
    off_straight = straight.double().numpy() - plain(x, y, 3, 1 / 2048, 1.0)
    assert np.abs(off).mean() < 0.2 * np.abs(off_straight).mean()


def test_what_float32_cannot_hold_becomes_infinite_or_nan_and_raises_nothing():
    kernel = Polynomial(torch.full((4,), 1e15))
    rows = kernel.tile(torch.full((2, 4), 3e15))
    assert not torch.isfinite(kernel(rows, rows)).any()
