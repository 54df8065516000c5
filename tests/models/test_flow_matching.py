"""Flow matching against the exact velocity of a normal law."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.diffusion.solvers import SolverOptions
from ganvas.models.diffusion.flow_matching import TINY_POINTS, TOLD_TIMES, Model
from ganvas.nn.layers.initialise import initialise

pytestmark = pytest.mark.usefixtures("float64")
MIDDLE, DEVIATION = 0.3, 0.5


class Normal(torch.nn.Module):
    """``E[x_1 - x_0 | x_t = x]`` of x_1 ~ N(MIDDLE, deviation^2) and x_0 ~ N(0, 1)."""

    def __init__(self, deviation=DEVIATION):
        super().__init__()
        self.deviation = deviation

    def forward(self, x, said, labels):
        t = (said / TOLD_TIMES).unsqueeze(1)
        variance = (1 - t) ** 2 + (t * self.deviation) ** 2
        return MIDDLE + (t * self.deviation**2 - (1 - t)) / variance * (x - t * MIDDLE)


def started(**changes):
    model = Model(dataclasses.replace(TINY_POINTS, **changes))
    initialise(model, stream(0, "weights"))
    return model.eval()


def normal():
    model = started()
    model.network = Normal()
    return model


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("midpoint", 2)])
def test_of_a_normal_law_drawing_approaches_the_exact_map_as_fast_as_the_solver_should(solver, order):
    model, z = normal(), torch.randn(64, 2, generator=stream(1, "z"))
    exact = MIDDLE + DEVIATION * z
    errors = [(model.decode_by(z, None, SolverOptions(steps=n, solver=solver)) - exact).abs().max() for n in (64, 128)]
    assert errors[1] < 0.05
    assert math.log2(errors[0] / errors[1]) > order - 0.1  # The midpoint is better than its order here.


def test_one_step_of_euler_gives_the_mean():
    z = torch.randn(16, 2, generator=stream(1, "z"))
    found = normal().decode_by(z, None, SolverOptions(steps=1, solver="euler"))
    assert_close(found, torch.full_like(found, MIDDLE))


def stretch_of_a_thin_law(rho):
    """How many times too wide twenty steps of Heun draw a normal law of deviation 0.01: the product of its factors."""
    factor = 1.0
    times = [1 - (1 - i / 20) ** rho for i in range(21)]
    slope = [(t * 1e-4 - (1 - t)) / ((1 - t) ** 2 + t * t * 1e-4) for t in times]
    for i in range(20):
        h = times[i + 1] - times[i]
        factor *= 1 + h / 2 * (slope[i] + slope[i + 1] * (1 + h * slope[i]))
    return factor / 0.01


@pytest.mark.parametrize(("rho", "stretch"), [(1.0, 2.656), (2.0, 1.102)])
def test_a_thin_law_is_drawn_too_wide_by_even_steps_and_nearly_right_by_steps_that_lie_near_the_sample(rho, stretch):
    assert stretch_of_a_thin_law(rho) == pytest.approx(stretch, abs=5e-4)
    model, z = started(rho=rho, steps=20), torch.randn(8, 2, generator=stream(1, "z"))
    model.network = Normal(0.01)
    assert_close(model.decode_by(z, None, SolverOptions()), MIDDLE + 0.01 * stretch_of_a_thin_law(rho) * z)


def test_the_denoiser_of_the_velocity_is_the_mean_of_what_a_noisy_sample_may_be():
    sigma, x = torch.tensor([0.01, 0.5, 3.0, 80.0]), torch.randn(4, 2, generator=stream(2, "x"))
    share = (DEVIATION**2 / (DEVIATION**2 + sigma**2)).unsqueeze(1)
    assert_close(normal().denoised(x, sigma, None), share * x + (1 - share) * MIDDLE)


def test_the_bound_of_a_normal_law_is_its_density_also_in_units_of_the_data():
    model = normal()
    model.unit.fill_(7.0)
    model.middle.copy_(torch.tensor([1.0, -2.0]))
    inside = torch.tensor([0.4, -0.1]).expand(2000, 2)
    found = model.log_prob(model.outside(inside), stream(0, "density"))
    normed = torch.distributions.Normal(MIDDLE, DEVIATION).log_prob(inside[0]).sum() - 2 * math.log(7.0)
    error = float(found.std()) / math.sqrt(2000)
    assert float(found.mean()) == pytest.approx(float(normed), abs=4 * error + 2e-4)


@pytest.mark.parametrize(("rho", "least"), [(1.0, DEVIATION * math.pi / 2), (2.0, 0.91997)])
def test_the_best_velocity_loses_what_no_function_of_the_place_and_the_time_can_know(rho, least):
    # Var(x_1 - x_0 | x_t) = s^2 / ((1 - t)^2 + t^2 s^2); its mean over even t is (atan(s) + atan(1 / s)) s = s pi / 2,
    # and over 1 - t = u^2 of even u that of 1 / (5 u^4 - 2 u^2 + 1), for s = 1 / 2.
    model = started(rho=rho)
    model.network = Normal()
    x = MIDDLE + DEVIATION * torch.randn(100_000, 2, generator=stream(3, "x"))
    loss = model.loss_of(x, None, Points(points=x, rng=stream(0, "noise")))["matching"]
    assert float(loss.mean()) == pytest.approx(least, rel=0.02)
