"""Masked autoregressive flows: who knows whom, a density in closed form, the way back, and norms between layers."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.point_batch import Points
from ganvas.models.flow.maf import TINY, AutoregressiveLayer, Model
from ganvas.nn.layers.initialise import initialise

pytestmark = pytest.mark.usefixtures("float64")
CLOSED_BY = 100.0  # Added before a ReLU and taken off after it, it leaves what is smaller as it is.


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model.eval()


def points(n, dims, *, seed=0):
    return 3 + 2 * torch.randn(n, dims, generator=stream(seed, "x"))


@pytest.mark.parametrize("norm", ["batch", "actnorm", "none"])
@pytest.mark.parametrize("dims", [1, 2, 5])
def test_the_density_is_that_of_the_jacobian_and_number_by_number_the_way_back_leads_there(
    holds_as_bijection, dims, norm
):
    model = started(dims=dims, layers=3, norm=norm)
    model.calibrate(Points(points=points(64, dims)))
    model.train()
    model.log_density(points(64, dims, seed=1))  # Batch norms have seen something.
    model.eval()
    holds_as_bijection(model.flow, points(3, dims, seed=2))


def connected(layer, dims):
    return torch.autograd.functional.jacobian(lambda x: layer(x[None])[0][0], points(1, dims)[0]) != 0


def test_layers_see_the_numbers_before_in_orders_that_take_turns():
    first, second, third = (
        part for part in started(dims=4, layers=3, norm="none").flow.steps if isinstance(part, AutoregressiveLayer)
    )
    before = torch.ones(4, 4).tril() > 0
    assert torch.equal(connected(first, 4), before)
    assert torch.equal(connected(second, 4), before.T)
    assert torch.equal(connected(third, 4), before)


def test_a_layer_whose_means_are_linear_is_a_normal_law_with_a_triangular_factor():
    """``x = A x + S u`` with A below the diagonal has the factor ``(I - A)^-1 S`` of its covariance."""
    model = started(dims=3, layers=1, width=2, depth=1)
    below = torch.tensor([[0.0, 0.0, 0.0], [0.7, 0.0, 0.0], [-1.2, 0.4, 0.0]])
    log_sd = torch.tensor([0.3, -0.5, 0.1])
    network = model.flow.steps[1].network
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.eye(2, 3))  # Units of degrees 1 and 2 repeat the first two numbers.
        network.layers[0].bias.fill_(CLOSED_BY)
        network.last.weight.zero_()
        network.last.weight[0::2] = below[:, :2]
        network.last.bias[0::2] = -CLOSED_BY * below.sum(1)
        network.last.bias[1::2] = log_sd / (1 - log_sd.abs() / math.log(1000))  # What is bounded to log_sd.
    factor = torch.linalg.solve(torch.eye(3) - below, log_sd.exp().diag())
    x = torch.randn(20, 3, generator=stream(1, "x"))
    law = torch.distributions.MultivariateNormal(torch.zeros(3), scale_tril=factor)
    assert_close(model.log_density(x), law.log_prob(x), rtol=0, atol=1e-10)
    drawn = model.decode(x)
    assert_close(drawn, x @ factor.T, rtol=0, atol=1e-10)


def test_the_density_integrates_to_one():
    model = started(layers=3, norm="none")
    side = torch.linspace(-15, 15, 601)
    with torch.no_grad():
        mass = model.log_density(torch.cartesian_prod(side, side)).exp().sum() * (side[1] - side[0]) ** 2
    # Kinks where a ReLU opens: the trapezoid rule is of second order in the step there.
    assert float(mass) == pytest.approx(1, abs=3e-3)


def test_with_actnorm_a_points_density_in_training_depends_on_no_other_and_with_batch_norm_it_does():
    alone = {}
    for norm in ("actnorm", "batch"):
        model = started(norm=norm).train()
        model.calibrate(Points(points=points(64, 2)))
        x = points(8, 2, seed=1)
        alone[norm] = torch.allclose(model.log_density(x)[:4], model.log_density(x[:4]), rtol=1e-9, atol=0)
    assert alone == {"actnorm": True, "batch": False}


def test_data_set_every_actnorm():
    model = started(norm="actnorm", layers=2)
    real = points(500, 2)
    model.calibrate(Points(points=real))
    y = real
    for step in model.flow.steps[:3]:
        y = step(y)[0]
    assert_close(y.mean(0), torch.zeros(2), rtol=0, atol=1e-4)
    assert_close(y.var(0, unbiased=False), torch.ones(2), rtol=0, atol=1e-4)
