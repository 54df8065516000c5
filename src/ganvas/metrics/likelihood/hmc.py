"""Hamiltonian Monte Carlo on the latents of a decoder, between its prior and its posterior.

Duane et al.: Hybrid Monte Carlo (1987); Neal: MCMC using Hamiltonian dynamics (2011), https://arxiv.org/abs/1206.1901.
The target at inverse temperature ``beta`` is ``N(z; 0, I) p(x | z)^beta``, so its energy is
``U(z) = |z|^2 / 2 - beta log p(x | z)`` up to a constant. The log-likelihood and its gradient do not depend on
``beta``: they are kept with every point, so that a transition of L steps costs L passes through the decoder and back,
and neither the next temperature nor the importance weight costs any.

Latents, energies and momenta are float64, whatever the decoder computes in.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LatentRows = Float[Tensor, "rows z"]
PerRow = Float[Tensor, " rows"]
Evaluate = Callable[[Tensor], tuple[Tensor, Tensor]]  # From latents to log p(x | z) and its gradient.


@dataclass(frozen=True)
class ChainPoints:
    """Where the chains are, with what the decoder says there."""

    z: LatentRows
    log_likelihood: PerRow
    gradient: LatentRows  # Of the log-likelihood.


def points_at(z: LatentRows, evaluate: Evaluate) -> ChainPoints:
    """The points at these latents: one pass through the decoder and back."""
    return ChainPoints(z, *evaluate(z))


def energy(points: ChainPoints, momentum: LatentRows, *, beta: float) -> PerRow:
    """``H = |z|^2 / 2 - beta log p(x | z) + |p|^2 / 2``."""
    return 0.5 * (points.z.square() + momentum.square()).sum(1) - beta * points.log_likelihood


def leapfrog(
    points: ChainPoints, momentum: LatentRows, *, beta: float, step: PerRow, steps: int, evaluate: Evaluate
) -> tuple[ChainPoints, LatentRows]:
    """``steps`` steps of length ``step``: half a step of momentum, whole steps in turn, half a step of momentum.

    From its end with the momentum reversed it leads back to its beginning, and it keeps volumes.
    """
    length = step[:, None]
    momentum = momentum - 0.5 * length * _force(points, beta)
    for index in range(steps):
        points = points_at(points.z + length * momentum, evaluate)
        share = 1.0 if index < steps - 1 else 0.5
        momentum = momentum - share * length * _force(points, beta)
    return points, momentum


def transition(
    points: ChainPoints, *, beta: float, step: PerRow, steps: int, evaluate: Evaluate, rng: torch.Generator
) -> tuple[ChainPoints, PerRow]:
    """A step of the chain that leaves the target as it is, and the probability of each row's proposal.

    A proposal whose energy is not a number is refused.
    """
    shape, device = points.z.shape, points.z.device
    momentum = torch.randn(shape, generator=rng, dtype=torch.float64).to(device)
    chance = torch.rand(shape[0], generator=rng, dtype=torch.float64).to(device)
    proposal, end = leapfrog(points, momentum, beta=beta, step=step, steps=steps, evaluate=evaluate)
    gain = energy(points, momentum, beta=beta) - energy(proposal, end, beta=beta)
    probability = gain.clamp(max=0.0).exp().nan_to_num(nan=0.0)
    taken = chance < probability
    moved = ChainPoints(
        torch.where(taken[:, None], proposal.z, points.z),
        torch.where(taken, proposal.log_likelihood, points.log_likelihood),
        torch.where(taken[:, None], proposal.gradient, points.gradient),
    )
    return moved, probability


def _force(points: ChainPoints, beta: float) -> LatentRows:
    """The gradient of the energy with respect to the latents."""
    return points.z - beta * points.gradient
