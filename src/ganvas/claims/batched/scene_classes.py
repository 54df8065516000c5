"""Dense classifiers of small scenes, trained for all seeds at once: depth, activation, norm and shortcuts as arms.

The task is to name the landscape of a scene of 8 x 8 pixels, one of four. Every seed has its own pictures,
weights and order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from ganvas.claims.batched.stacks import (
    Generators,
    Stack,
    descend,
    generators_of,
    layers,
    normal,
    started,
    uniform,
    whole,
)
from ganvas.data.scenes.scenes import CLASS_NAMES, Scenes

SIDE, WIDTH, BATCH = 8, 32, 64
CLASSES = len(CLASS_NAMES)
TASK = f"landscapes of scenes of {SIDE} x {SIDE} pixels"

Features = Float[Tensor, "seeds n features"]
Labels = Int64[Tensor, "seeds n"]


@dataclass(frozen=True, kw_only=True)
class Net:
    """A dense network, as one arm of a claim has it.

    Args:
        depth: Hidden layers of 32 units behind the first.
        norm: Batch norm in front of every activation, without weights of its own.
        shortcut: What the input of every two layers is multiplied by before it is added; None for a plain network.
        start: Deviation of starting weights, in He's.
        shift: Deviation of a random shift and of the logarithm of a random scale, drawn anew for every unit on every
            step and put behind batch norm.
        drop: Share of hidden units that are dropped while training.
    """

    depth: int
    activation: Literal["relu", "sigmoid"] = "relu"
    norm: bool = False
    shortcut: float | None = None
    start: float = 1.0
    shift: float = 0.0
    drop: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is trained."""

    steps: int
    lr: float = 0.05
    momentum: float = 0.9
    pictures: int = 512


@dataclass(frozen=True, kw_only=True)
class TrainedNets:
    """Networks of all seeds after training, with their mean losses in nats."""

    stack: Stack
    on_the_way: list[float]  # Over the batches of all steps: small where a network learns fast.
    train: list[float]  # Over all training pictures at the end.
    misnamed: list[float]  # The share of as many others whose class is named wrongly.


def trained(net: Net, seeds: Sequence[int], training: Training) -> TrainedNets:
    """Trains a network for every seed by stochastic descent with momentum."""
    generators = generators_of(seeds)
    x, labels, held_out, other_labels = pictures(seeds, training.pictures)
    stack = started(generators, (x.shape[-1], *[WIDTH] * (net.depth + 1), CLASSES))
    with torch.no_grad():
        for weight, _ in layers(stack)[:-1]:
            weight.mul_(net.start)
    descent = torch.optim.SGD(stack, lr=training.lr, momentum=training.momentum)
    losses = []
    for _ in range(training.steps):
        rows = whole(generators, training.pictures, BATCH)
        verdicts = scores(net, stack, _rows(x, rows), generators)
        loss = mean_losses(verdicts, labels.gather(1, rows))
        descend(loss.sum(), descent, stack)
        losses.append(loss.detach())
    with torch.no_grad():
        train = mean_losses(scores(net, stack, x, None), labels).tolist()
        misnamed = (scores(net, stack, held_out, None).argmax(2) != other_labels).double().mean(1).tolist()
    return TrainedNets(stack=stack, on_the_way=torch.stack(losses).mean(0).tolist(), train=train, misnamed=misnamed)


def scores(net: Net, stack: Stack, x: Features, generators: Generators | None) -> Float[Tensor, "seeds n classes"]:
    """Scores of classes; noise of training comes from the generators, and there is none without them.

    Batch norm takes its statistics from the rows that it is given.
    """
    (first, bias), *hidden, (last, last_bias) = layers(stack)
    x = _activated(net, torch.baddbmm(bias, x, first), generators)
    kept = x
    for place, (weight, bias) in enumerate(hidden):
        x = torch.baddbmm(bias, x, weight)
        if net.shortcut is not None and place % 2 == 1:
            x = kept = kept * net.shortcut + _normed(net, x, generators)
        else:
            x = _activated(net, x, generators)
    return torch.baddbmm(last_bias, x, last)


def mean_losses(verdicts: Float[Tensor, "seeds n classes"], labels: Labels) -> Float[Tensor, " seeds"]:
    """Cross-entropy in nats, the mean over rows."""
    return F.cross_entropy(verdicts.transpose(1, 2), labels, reduction="none").mean(1)


def _activated(net: Net, x: Features, generators: Generators | None) -> Features:
    x = _normed(net, x, generators)
    x = torch.relu(x) if net.activation == "relu" else torch.sigmoid(x)
    if net.drop and generators is not None:
        kept = uniform(generators, *x.shape[1:]) >= net.drop
        x = x * kept / (1 - net.drop)
    return x


def _normed(net: Net, x: Features, generators: Generators | None) -> Features:
    if net.norm:
        variance, mean = torch.var_mean(x, 1, keepdim=True, correction=0)
        x = (x - mean) * (variance + 1e-5).rsqrt()
    if net.shift and generators is not None:
        scale, shift = (net.shift * normal(generators, 1, x.shape[2]) for _ in range(2))
        x = x * scale.exp() + shift
    return x


def _rows(x: Features, rows: Int64[Tensor, "seeds m"]) -> Float[Tensor, "seeds m features"]:
    return x.gather(1, rows[:, :, None].expand(-1, -1, x.shape[2]))


def pictures(seeds: Sequence[int], count: int) -> tuple[Features, Labels, Features, Labels]:
    """As many pictures to train on as to test on, of deviation 1 about 0; both arms of a claim see the same."""
    return _painted(tuple(seeds), count)


@lru_cache(maxsize=2)
def _painted(seeds: tuple[int, ...], count: int) -> tuple[Features, Labels, Features, Labels]:
    drawn = [Scenes(SIDE, SIDE, count=2 * count, seed=seed).pictures(0, 2 * count) for seed in seeds]
    x = torch.from_numpy(np.stack([images for images, _, _ in drawn])).flatten(2).float()
    x = (x - x.mean((1, 2), keepdim=True)) / x.std((1, 2), keepdim=True)
    labels = torch.from_numpy(np.stack([marks for _, _, marks in drawn]))
    return x[:, :count], labels[:, :count], x[:, count:], labels[:, count:]
