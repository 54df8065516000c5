"""A flow of points in the plane, of all seeds at once: affine couplings of dense networks in turns.

Dinh, Sohl-Dickstein & Bengio 2017, Density estimation using Real NVP, https://arxiv.org/abs/1605.08803.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.batched.ring import ring
from ganvas.claims.batched.stacks import Generators, Stack, dense, descend, started

COUPLINGS, UNITS = 6, 32
PARTS = 6  # Of the stack, for each coupling: three layers' weights and biases.
SCOPE = f"{COUPLINGS} affine couplings of networks of two layers of {UNITS}"

Points = Float[Tensor, "seeds n 2"]


def flow(generators: Generators) -> Stack:
    """The weights of a flow that is nearly the identity."""
    stack = [part for _ in range(COUPLINGS) for part in started(generators, (1, UNITS, UNITS, 2))]
    with torch.no_grad():
        for last in stack[PARTS - 2 :: PARTS]:
            last.mul_(0.1)
    return stack


def sampled(stack: Stack, z: Points) -> Points:
    """Samples of latents."""
    for place in range(COUPLINGS):
        kept, moved = _sides(z, place)
        scale, shift = _terms(stack, place, kept)
        z = _joined(kept, moved * scale.exp() + shift, place)
    return z


def log_density(stack: Stack, x: Points) -> Float[Tensor, "seeds n"]:
    """Of points, in nats."""
    stretched = x.new_zeros(x.shape[:2])
    for place in reversed(range(COUPLINGS)):
        kept, moved = _sides(x, place)
        scale, shift = _terms(stack, place, kept)
        x = _joined(kept, (moved - shift) * (-scale).exp(), place)
        stretched = stretched + scale[..., 0]
    return -x.square().sum(2) / 2 - math.log(2 * math.pi) - stretched


def by_likelihood(generators: Generators, steps: int, batch: int) -> Stack:
    """A flow that is trained by the likelihood of the ring's points, by Adam at 1e-3."""
    stack = flow(generators)
    descent = torch.optim.Adam(stack, lr=1e-3)
    for _ in range(steps):
        descend(-log_density(stack, ring(generators, batch)).mean(1).sum(), descent, stack)
    return stack


def _sides(x: Points, place: int) -> tuple[Tensor, Tensor]:
    kept, moved = x[..., place % 2, None], x[..., 1 - place % 2, None]
    return kept, moved


def _joined(kept: Tensor, moved: Tensor, place: int) -> Points:
    return torch.cat([kept, moved] if place % 2 == 0 else [moved, kept], 2)


def _terms(stack: Stack, place: int, kept: Tensor) -> tuple[Tensor, Tensor]:
    scale, shift = dense(stack[PARTS * place : PARTS * (place + 1)], kept).chunk(2, -1)
    return 2 * torch.tanh(scale / 2), shift
