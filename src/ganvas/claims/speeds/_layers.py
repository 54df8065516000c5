"""Layers of fan-ins from 16 to 1,024, a few steps of training, and the relative change of each layer's weight."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.relative import normal

WIDTHS = (16, 64, 1024, 256, 10)
STEPS, BATCH = 20, 64
LAYERS = len(WIDTHS) - 1
FASTEST, SLOWEST = "fastest layer", "slowest layer"


def speed(arm: str, seed: int, *, optimiser: str, lr: float) -> float:
    """Relative change of the effective weight after ``STEPS`` steps, of the layer that moved most or least."""
    moved = speeds(seed, optimiser=optimiser, lr=lr)
    return max(moved) if arm == FASTEST else min(moved)


def speeds(seed: int, *, optimiser: str, lr: float, scaled: bool = True) -> list[float]:
    """Of every layer. ``scaled``: weights are stored at unit deviation and scaled by He's constant at every call."""
    he = [(2 / fan_in) ** 0.5 for fan_in in WIDTHS[:-1]]
    stored = [
        normal(seed * LAYERS + layer, out, into).float() * (1 if scaled else he[layer])
        for layer, (into, out) in enumerate(pairwise(WIDTHS))
    ]
    factors = he if scaled else [1.0] * LAYERS
    start = [weight.clone() for weight in stored]
    step = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimiser]
    descent = step([weight.requires_grad_() for weight in stored], lr=lr)
    teacher = normal(seed, WIDTHS[0], WIDTHS[-1]).float() / WIDTHS[0] ** 0.5
    for number in range(STEPS):
        x = normal(seed + 7919 * (number + 1), BATCH, WIDTHS[0]).float()
        loss = (_network(x, stored, factors) - x @ teacher).square().mean()
        descent.zero_grad()
        loss.backward()
        descent.step()
    return [float((now - then).detach().norm() / then.norm()) for now, then in zip(stored, start, strict=True)]


def _network(x: Tensor, stored: list[Tensor], factors: list[float]) -> Tensor:
    for layer, (weight, factor) in enumerate(zip(stored, factors, strict=True)):
        x = F.linear(x, weight * factor)
        x = x if layer == LAYERS - 1 else F.relu(x)
    return x
