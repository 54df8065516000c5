"""The speed of layers of fan-ins from 16 to 1,024 in the first steps, with weights that are scaled at run time.

Two claims are made of it, one of Adam and one of plain descent.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.judging.relative import normal

WIDTHS = (16, 64, 1024, 256, 10)
STEPS, BATCH = 20, 64
LAYERS = len(WIDTHS) - 1
FASTEST, SLOWEST = "fastest layer", "slowest layer"


def same_speed(under: str, *, optimiser: str, lr: float) -> Experiment:
    """The claim that layers of every width learn at the same speed under an optimiser."""

    def run(arm: str, seeds: Sequence[int]) -> list[float]:
        return [speed(arm, seed, optimiser=optimiser, lr=lr) for seed in seeds]

    return Experiment(
        statement=f"With weights scaled at run time, layers of every width learn at the same speed under {under}.",
        sources=(
            Source(
                who="Karras et al. 2018, Progressive Growing of GANs, section 4.1 (of optimisers such as Adam)",
                stance="agrees",
                link="https://arxiv.org/abs/1710.10196",
            ),
        ),
        scope=f"a ReLU network of widths {WIDTHS}, {STEPS} steps",
        arms=(FASTEST, SLOWEST),
        estimand="relative change of a layer's weight",
        says="same",
        unit="times",
        ratio=True,
        smallest_effect=1.6,
        seeds=8,
        run=run,
    )


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
