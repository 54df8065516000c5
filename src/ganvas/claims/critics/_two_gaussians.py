"""A critic between two Gaussians, trained for all seeds at once: how far it holds them apart, and how steep it is."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.batched.stacks import (
    Generators,
    Stack,
    dense,
    descend,
    generators_of,
    layers,
    normal,
    started,
    uniform,
)

WIDTHS = (2, 64, 64, 1)
BATCH, LR = 64, 1e-3
GAP = 2.0  # Along both axes: the laws are 2 sqrt(2) apart.
SCOPE = "a critic of 2-64-64-1 between two Gaussians 2.8 apart, Adam at 1e-3, batch 64"

Penalty = Callable[[Stack, Tensor, Tensor, Tensor], Tensor]


def separation(
    seeds: Sequence[int],
    steps: int,
    *,
    clip: float | None = None,
    penalty: Penalty | None = None,
    spectral: bool = False,
) -> list[float]:
    """What the critic's mean is higher by on reals than on fakes after so many steps, per seed.

    Both laws are Gaussians of deviation 1.

    Args:
        clip: Holds every weight to [-clip, clip], as Wasserstein GANs do.
        penalty: Of the stack, reals, fakes and a number from 0 to 1 for each; added to the loss.
        spectral: Every layer's weight is used divided by its largest singular value.
    """
    generators = generators_of(seeds)
    stack = started(generators, WIDTHS)
    used = _normed if spectral else list
    descent = torch.optim.Adam(stack, lr=LR, betas=(0.0, 0.99))
    for _ in range(steps):
        real, fake = _batch(generators, BATCH)
        loss = -_difference(used(stack), real, fake).sum()
        if penalty is not None:
            loss = loss + penalty(stack, real, fake, uniform(generators, BATCH, 1)).sum()
        descend(loss, descent, stack)
        if clip is not None:
            with torch.no_grad():
                for part in stack:
                    part.clamp_(-clip, clip)
    with torch.no_grad():
        return _difference(used(stack), *_batch(generators, 16 * BATCH)).tolist()


def gradient_penalty(stack: Stack, real: Tensor, fake: Tensor, mix: Tensor) -> Float[Tensor, " seeds"]:
    """``10 (|grad D| - 1)^2`` between reals and fakes (Gulrajani et al. 2017, eq. 3)."""
    between = torch.lerp(real, fake, mix).requires_grad_()
    (slope,) = torch.autograd.grad(dense(stack, between).sum(), between, create_graph=True)
    return 10 * (slope.norm(dim=-1) - 1).square().mean(1)


def _batch(generators: Generators, n: int) -> tuple[Tensor, Tensor]:
    return normal(generators, n, 2), normal(generators, n, 2) + GAP


def _difference(stack: Stack, real: Tensor, fake: Tensor) -> Float[Tensor, " seeds"]:
    return (dense(stack, real) - dense(stack, fake)).mean((1, 2))


def _normed(stack: Stack) -> Stack:
    return [
        part
        for weight, bias in layers(stack)
        for part in (weight / torch.linalg.matrix_norm(weight, 2)[:, None, None], bias)
    ]
