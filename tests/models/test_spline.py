"""Neural spline flows: the density is one, whatever the number of dimensions, and data say where it begins."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.point_batch import Points
from ganvas.models.flow.spline import TINY, Model, move_of
from ganvas.nn.layers.initialise import initialise


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model.eval()


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("dims", "coupling"), [(1, "spline"), (2, "spline"), (3, "spline"), (5, "spline"), (3, "affine")]
)
def test_halves_take_turns_and_the_density_is_that_of_the_jacobian(holds_as_bijection, dims, coupling):
    model = started(dims=dims, couplings=3, coupling=coupling)
    model.calibrate(Points(points=3 + 2 * torch.randn(64, dims, generator=stream(0, "x"))))
    x = 3 + 2 * torch.randn(3, dims, generator=stream(1, "x"))
    holds_as_bijection(model.flow, x)
    rows = torch.autograd.functional.jacobian(lambda v: model.encode(v[None])[0], x[0])
    assert (rows != 0).sum() >= dims, "every number depends on itself at least"


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("dims", [1, 2])
def test_the_density_integrates_to_one(dims):
    model = started(dims=dims)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
        side = torch.linspace(-9, 9, 20_001 if dims == 1 else 601)
        grid = side.view(-1, 1) if dims == 1 else torch.cartesian_prod(side, side)
        mass = model.log_density(grid).exp().sum() * (side[1] - side[0]) ** dims
    # The trapezoid rule on a curve with kinks in its second derivative: second order in the step.
    assert float(mass) == pytest.approx(1, abs=1e-5 if dims == 1 else 3e-3)


@pytest.mark.usefixtures("float64")
def test_data_set_the_frame_in_which_splines_see_points():
    model = started()
    points = torch.randn(5000, 2, generator=stream(0, "x")) * torch.tensor([5.0, 0.01]) + torch.tensor([100.0, -3.0])
    model.calibrate(Points(points=points))
    seen = model.flow.steps[0](points)[0]
    assert_close(seen.mean(0), torch.zeros(2), rtol=0, atol=1e-4)
    assert_close(seen.var(0, unbiased=False), torch.ones(2), rtol=0, atol=1e-4)


def test_the_loss_is_nats_of_points_in_their_own_units():
    model = started()
    points = torch.randn(8, 2, generator=stream(0, "x"))
    before = model.phases()[0].loss(Points(points=points))["nats"]
    wide = started()
    wide.flow.steps[0].spread.fill_(10.0)  # The same flow of points ten times as large.
    after = wide.phases()[0].loss(Points(points=10 * points))["nats"]
    assert_close(after - before, torch.full((8,), 2 * math.log(10)), rtol=1e-4, atol=1e-4)


def test_an_affine_coupling_scales_and_then_shifts():
    """Real NVP, section 3.2: ``y = x exp(s) + t``, with ``s = raw / (1 + |raw| / ln 1000)``."""
    said = torch.tensor([[[0.5, math.log(1000)], [-1.0, 0.0]]])  # (t, raw s) of each number.
    moved, log_slopes = move_of(said, dataclasses.replace(TINY, coupling="affine")).forward(torch.tensor([[3.0, 4.0]]))
    assert_close(moved, torch.tensor([[3 * math.sqrt(1000) + 0.5, 3.0]]))
    assert_close(log_slopes, torch.tensor([[math.log(1000) / 2, 0.0]]))
