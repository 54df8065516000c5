"""Solvers against exact solutions and the orders of their errors."""

import math

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.losses.diffusion.solvers import EVALUATIONS, SOLVERS, SolverOptions, noise_levels, path_times, solve

pytestmark = pytest.mark.usefixtures("float64")


def error(solver, steps):
    """At time 1 of ``dx/dt = -2 t x``, whose solution is ``exp(-t^2)``."""
    found = solve(lambda x, t: -2 * t * x, torch.ones(1), path_times(steps), solver)
    return abs(float(found) - math.exp(-1))


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_the_error_falls_with_the_power_of_the_step_that_the_solver_is_named_for(solver, order):
    ratio = error(solver, 64) / error(solver, 128)
    assert math.log2(ratio) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_step_asks_the_field_as_often_as_is_said(solver):
    asked = []
    solve(lambda x, t: asked.append(t) or x, torch.ones(1), path_times(3), solver)
    assert len(asked) == 3 * EVALUATIONS[solver]


def test_noise_falls_from_the_largest_to_the_least_and_then_to_none_along_equal_steps_of_its_root():
    levels = noise_levels(18, sigma_min=0.002, sigma_max=80.0, rho=7.0)
    assert len(levels) == 19
    assert levels[0] == pytest.approx(80)
    assert levels[-2] == pytest.approx(0.002)
    assert levels[-1] == 0
    roots = [level ** (1 / 7) for level in levels[:-1]]
    assert torch.tensor(roots).diff().std() == pytest.approx(0, abs=1e-12)


def test_one_step_goes_from_the_largest_noise_to_none():
    assert noise_levels(1, sigma_min=0.002, sigma_max=80.0, rho=7.0) == pytest.approx([80.0, 0.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, r"--steps 0 must be at least 1"),
        ({"solver": "huen"}, r"--solver huen is not a solver. Did you mean 'heun'\?"),
        ({"guidance": 2.0}, r"--guidance 2 needs a model that was trained with classes"),
        ({"churn": 3.0}, r"--churn 3: this model draws without noise"),
    ],
    ids=str,
)
def test_options_that_a_model_has_not_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        SolverOptions(**options).check(guides=False, churns=False)


def test_less_than_no_churn_is_refused():
    with pytest.raises(UserError, match=r"--churn -1 must be at least 0"):
        SolverOptions(churn=-1.0).check(guides=False, churns=True)
