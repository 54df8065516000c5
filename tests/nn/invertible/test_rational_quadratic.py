"""Rational-quadratic splines: knots, slopes, the identity, and the formula of the paper at a point."""

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.nn.invertible.bijection import Bijection, sum_per_sample
from ganvas.nn.invertible.rational_quadratic import RationalQuadratic, numbers_of_spline, spline_of

pytestmark = pytest.mark.usefixtures("float64")


def spline(n=3, dims=2, bins=5, bound=3.0, scale=2.0):
    raw = scale * torch.randn(n, dims, numbers_of_spline(bins), generator=stream(0, "raw"))
    return spline_of(raw, bins=bins, bound=bound)


def of(one, n):
    """The same spline for every one of n samples."""
    return RationalQuadratic(*(knots.expand(n, -1, -1) for knots in (one.x, one.y, one.slopes)))


class Along(Bijection):
    """One spline for all samples, as a bijection."""

    def __init__(self, one):
        super().__init__()
        self.one = one

    def forward(self, x):
        y, log_slopes = of(self.one, len(x)).forward(x)
        return y, sum_per_sample(log_slopes)

    def inverse(self, y):
        return of(self.one, len(y)).inverse(y)


def test_the_slope_is_the_derivative_and_the_inverse_leads_back(holds_as_bijection):
    one = spline(n=1)
    x = torch.linspace(-4, 4, 21).repeat(2, 1).T
    holds_as_bijection(Along(one), x, tolerance=1e-8)


def test_knots_become_their_values_with_their_slopes():
    one = spline(n=1, dims=1)
    for knot in range(1, 5):
        x = one.x[..., knot]
        y, log_slope = one.forward(x)
        assert_close(y, one.y[..., knot])
        assert_close(log_slope.exp(), one.slopes[..., knot])


def test_between_knots_it_is_the_papers_formula():
    knots = {"x": [-2.0, 1.0, 2.0], "y": [-2.0, 0.0, 2.0], "slopes": [1.0, 0.5, 1.0]}
    one = RationalQuadratic(**{name: torch.tensor([values]) for name, values in knots.items()})
    # At 1/3 of the first bin, of width 3 and height 2: s = 2/3, t = 1/3.
    above = 2 * (2 / 3 * (1 / 9) + 1.0 * (2 / 9))
    below = 2 / 3 + (1.0 + 0.5 - 4 / 3) * (2 / 9)
    assert float(one.forward(torch.tensor([-1.0]))[0]) == pytest.approx(-2 + above / below)


def test_outside_of_its_bound_it_is_the_identity_that_it_meets_with_slope_1():
    one = spline(n=1, dims=1)
    outside = torch.tensor([[-7.0], [-3.0], [3.0], [50.0]])
    y, log_slope = of(one, 4).forward(outside)
    assert torch.equal(y, outside)
    assert torch.equal(log_slope, torch.zeros(4, 1))
    just_inside = one.forward(torch.tensor([[3.0 - 1e-9]]))
    assert_close(just_inside[0], torch.tensor([[3.0]]), rtol=0, atol=1e-8)
    assert_close(just_inside[1], torch.zeros(1, 1), rtol=0, atol=1e-6)


def test_zeros_describe_the_identity():
    one = spline_of(torch.zeros(1, 1, numbers_of_spline(4)), bins=4, bound=2.0)
    x = torch.linspace(-2.5, 2.5, 11).view(-1, 1)
    y, log_slope = of(one, 11).forward(x)
    assert_close(y, x)
    assert_close(log_slope, torch.zeros_like(x), rtol=0, atol=1e-9)


def test_no_bin_is_without_width_height_or_slope_whatever_the_network_says():
    wild = spline(n=200, dims=1, scale=300.0)
    for knots in (wild.x, wild.y):
        assert float((knots[..., 1:] - knots[..., :-1]).min()) >= 0.99e-3 * 6
    assert float(wild.slopes.min()) >= 1e-3


def test_a_gradient_stays_finite_for_numbers_outside_and_at_knots():
    raw = torch.randn(1, 1, numbers_of_spline(5), generator=stream(0, "raw")).requires_grad_()
    one = spline_of(raw, bins=5, bound=3.0)
    y, log_slope = of(one, 5).forward(torch.tensor([[-9.0], [-3.0], [0.1], [3.0], [9.0]]))
    (y.sum() + log_slope.sum()).backward()
    assert raw.grad.isfinite().all()
    assert raw.grad.any()
