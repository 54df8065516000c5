"""Eight Gaussians on a circle, as data of stacks of networks; modes that samples reach, and their sliced distance."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.batched.stacks import Generators, normal, whole

MODES, RADIUS, SIGMA = 8, 2.0, 0.05
REACH, LEAST = 3 * SIGMA, 100  # A mode is reached where one sample in so many lies within three deviations of it.
DIRECTIONS = 32
LAW = f"{MODES} Gaussians of deviation {SIGMA:g} on a circle of radius {RADIUS:g}"

Points = Float[Tensor, "seeds n 2"]


def ring(generators: Generators, n: int) -> Points:
    """Points of the law, each seed's from its own stream."""
    turns = whole(generators, MODES, n) * (2 * math.pi / MODES)
    return RADIUS * torch.stack([turns.cos(), turns.sin()], -1) + SIGMA * normal(generators, n, 2)


def modes_reached(points: Points) -> Sequence[float]:
    """How many of the eight modes hold one sample in a hundred or more."""
    turns = torch.arange(MODES) * (2 * math.pi / MODES)
    centres = RADIUS * torch.stack([turns.cos(), turns.sin()], -1)
    near = (points[:, :, None] - centres).norm(dim=-1) <= REACH
    return (near.sum(1) * LEAST >= points.shape[1]).sum(1).double().tolist()


def sliced_distance(points: Points, others: Points) -> list[float]:
    """Mean Wasserstein-1 distance along evenly spaced directions."""
    turns = torch.arange(DIRECTIONS) * (math.pi / DIRECTIONS)
    axes = torch.stack([turns.cos(), turns.sin()])
    return ((points @ axes).sort(1).values - (others @ axes).sort(1).values).abs().mean((1, 2)).tolist()
