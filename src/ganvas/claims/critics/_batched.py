"""A critic between two clouds of points, trained for all seeds at once: their networks are one stack of weights.

Twelve seeds then cost little more than one, since the time of small networks is that of calling them.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

WIDTHS = (2, 64, 64, 1)
BATCH, LR, SLOPE = 64, 1e-3, 0.2
GAP = 2.0  # Along both axes: the laws are 2 sqrt(2) apart.

Stack = list[Tensor]  # Weights (seed, in, out) and biases (seed, 1, out) in turns.


def separation(seeds: Sequence[int], steps: int, *, clip: float | None = None, gap: float = GAP) -> list[float]:
    """What the critic's mean is higher by on reals than on fakes after so many steps, per seed.

    Both laws are Gaussians of deviation 1. ``clip`` holds every weight to [-clip, clip], as Wasserstein GANs do.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    stack = _start(generators)
    descent = torch.optim.Adam([part.requires_grad_() for part in stack], lr=LR, betas=(0.0, 0.99))
    for _ in range(steps):
        loss = -_difference(stack, generators, gap).sum()  # A sum over seeds: each descends its own.
        descent.zero_grad()
        loss.backward()
        descent.step()
        if clip is not None:
            with torch.no_grad():
                for part in stack:
                    part.clamp_(-clip, clip)
    with torch.no_grad():
        return _difference(stack, generators, gap, batch=16 * BATCH).tolist()


def _start(generators: Sequence[torch.Generator]) -> Stack:
    stack: Stack = []
    for into, out in pairwise(WIDTHS):
        stack.append(_normal(generators, into, out) * (2 / into) ** 0.5)
        stack.append(torch.zeros(len(generators), 1, out))
    return stack


def _difference(
    stack: Stack, generators: Sequence[torch.Generator], gap: float, *, batch: int = BATCH
) -> Float[Tensor, " seeds"]:
    real, fake = _normal(generators, batch, 2), _normal(generators, batch, 2) + gap
    return (_critic(stack, real) - _critic(stack, fake)).mean((1, 2))


def _critic(stack: Stack, x: Float[Tensor, "seeds n dims"]) -> Float[Tensor, "seeds n 1"]:
    layers = list(zip(stack[::2], stack[1::2], strict=True))
    for weight, bias in layers[:-1]:
        x = F.leaky_relu(torch.baddbmm(bias, x, weight), SLOPE)
    return torch.baddbmm(layers[-1][1], x, layers[-1][0])


def _normal(generators: Sequence[torch.Generator], *shape: int) -> Tensor:
    return torch.stack([torch.randn(*shape, generator=generator) for generator in generators])
