"""Hamiltonian Monte Carlo against what holds of any: targets stay as they are, paths lead back."""

import math

import pytest
import torch

from ganvas.metrics.likelihood.hmc import ChainPoints, energy, leapfrog, points_at, transition

SIZE = 3


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def flat(z):
    """A decoder that does not look: the target is N(0, I) at any temperature."""
    return torch.zeros(len(z), dtype=torch.float64), torch.zeros_like(z)


def bent(z):
    """Something that is neither normal nor the same along all axes, with its gradient by hand."""
    return -(z.square().square().sum(1)), -4 * z.pow(3)


def steps(rows, length):
    return torch.full((rows,), length, dtype=torch.float64)


def test_a_path_leads_back_to_its_beginning():
    z, momentum = normal(20, SIZE, seed=1), normal(20, SIZE, seed=2)
    how = {"beta": 0.7, "step": steps(20, 0.05), "steps": 10, "evaluate": bent}
    there, end = leapfrog(points_at(z, bent), momentum, **how)
    back, again = leapfrog(there, -end, **how)
    assert (there.z - z).abs().max() > 0.1
    assert back.z == pytest.approx(z, abs=1e-10)
    assert -again == pytest.approx(momentum, abs=1e-10)


def test_a_path_keeps_volumes():
    """The Jacobian of (position, momentum) has determinant 1."""

    def path(state):
        z, momentum = state[None, :SIZE], state[None, SIZE:]
        there, end = leapfrog(points_at(z, bent), momentum, beta=0.7, step=steps(1, 0.1), steps=10, evaluate=bent)
        return torch.cat([there.z[0], end[0]])

    jacobian = torch.autograd.functional.jacobian(path, normal(2 * SIZE))
    assert float(torch.linalg.det(jacobian)) == pytest.approx(1, abs=1e-10)


def test_energy_errors_fall_with_the_square_of_the_step():
    """Leapfrog is of second order (Neal 2011, section 2.3)."""
    z, momentum = normal(200, SIZE, seed=1), normal(200, SIZE, seed=2)
    start = points_at(z, bent)

    def error(count):
        there, end = leapfrog(start, momentum, beta=1.0, step=steps(200, 0.2 / count), steps=count, evaluate=bent)
        return float((energy(there, end, beta=1.0) - energy(start, momentum, beta=1.0)).abs().mean())

    assert error(20) / error(40) == pytest.approx(4, rel=0.1)


def test_a_transition_leaves_the_prior_as_it_is():
    rows = 20_000
    points = points_at(normal(rows, SIZE), flat)
    random = rng(1)
    for _ in range(5):
        points, probability = transition(points, beta=1.0, step=steps(rows, 0.9), steps=3, evaluate=flat, rng=random)
    flat_z, error = points.z.flatten(), (rows * SIZE) ** -0.5
    assert float(flat_z.mean()) == pytest.approx(0, abs=4 * error)
    assert float(flat_z.square().mean()) == pytest.approx(1, abs=4 * math.sqrt(2) * error)
    assert float(flat_z.pow(4).mean()) == pytest.approx(3, abs=4 * math.sqrt(96) * error)
    assert 0.7 < float(probability.mean()) < 0.99  # A step at which the refusals matter.


def test_a_transition_leaves_a_tempered_posterior_as_it_is():
    """``log p(x | z) = -|z - 1|^2`` at beta = 1/2 makes ``N(1/2, 1/2)`` of the prior."""

    def likelihood(z):
        return -(z - 1).square().sum(1), -2 * (z - 1)

    rows = 20_000
    points = points_at(0.5 + math.sqrt(0.5) * normal(rows, SIZE), likelihood)
    random = rng(1)
    for _ in range(5):
        points, _ = transition(points, beta=0.5, step=steps(rows, 0.8), steps=3, evaluate=likelihood, rng=random)
    error = math.sqrt(0.5 / (rows * SIZE))
    assert float(points.z.mean()) == pytest.approx(0.5, abs=4 * error)
    assert float(points.z.var()) == pytest.approx(0.5, abs=4 * math.sqrt(0.5) * error)
    fresh = points_at(points.z, likelihood)  # What is kept beside the latents is theirs.
    assert points.log_likelihood == pytest.approx(fresh.log_likelihood)
    assert points.gradient == pytest.approx(fresh.gradient)


def test_a_transition_reaches_the_posterior_from_elsewhere():
    def likelihood(z):
        return -(z - 1).square().sum(1), -2 * (z - 1)

    points, random = points_at(torch.full((4000, SIZE), 3.0, dtype=torch.float64), likelihood), rng(1)
    for _ in range(30):
        points, _ = transition(points, beta=0.5, step=steps(4000, 0.3), steps=5, evaluate=likelihood, rng=random)
    assert float(points.z.mean()) == pytest.approx(0.5, abs=0.03)  # Four standard errors, sqrt(1/2 / 12,000).


def test_a_proposal_that_is_no_number_is_refused_and_costs_the_others_nothing():
    def cliff(z):
        value, gradient = flat(z)
        value[z[:, 0] > 0] = math.nan
        return value, gradient

    start = -normal(500, SIZE).abs()
    points, probability = transition(
        points_at(start, cliff), beta=1.0, step=steps(500, 0.3), steps=4, evaluate=cliff, rng=rng(3)
    )
    assert points.log_likelihood.isfinite().all()
    assert (points.z[:, 0] <= 0).all()
    assert 0 < int((probability == 0).sum()) < 500


def test_a_transition_asks_the_decoder_once_per_step():
    asked = []

    def counted(z):
        asked.append(len(z))
        return bent(z)

    points: ChainPoints = points_at(normal(6, SIZE), counted)
    for _ in range(3):
        points, _ = transition(points, beta=0.5, step=steps(6, 0.1), steps=10, evaluate=counted, rng=rng())
    assert asked == [6] * (1 + 3 * 10)
