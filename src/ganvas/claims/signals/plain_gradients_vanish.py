"""In a plain network of 42 layers with batch norm, the gradient vanishes on its way to the input.

It is the common reason for shortcuts. Batch norm holds the values and makes the gradient grow on its way back, layer by
layer, at a network's start; deep plain networks are hard to train for another reason.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Experiment, Source

LAYERS, CHANNELS, SIDE, BATCH = 42, 12, 8, 32
FIRST, LAST = "first layer", "last layer"


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Root mean square of the gradient at the output of the first or of the last layer, at the start."""
    return [_gradients(seed)[arm] for seed in seeds]


def _gradients(seed: int) -> dict[str, float]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(BATCH, CHANNELS, SIDE, SIDE, generator=generator)
    outputs: list[Tensor] = []
    for _ in range(LAYERS):
        weight = torch.randn(CHANNELS, CHANNELS, 3, 3, generator=generator) * (2 / (9 * CHANNELS)) ** 0.5
        x = _batch_norm(F.conv2d(x.requires_grad_(), weight, padding=1))
        outputs.append(x)
        x = F.relu(x)
    verdicts = x.mean((2, 3)) @ torch.randn(CHANNELS, 10, generator=generator) / CHANNELS**0.5
    labels = torch.randint(10, (BATCH,), generator=generator)
    first, last = torch.autograd.grad(F.cross_entropy(verdicts, labels), [outputs[0], outputs[-1]])
    return {FIRST: _size(first), LAST: _size(last)}


def _batch_norm(x: Tensor) -> Tensor:
    variance, mean = torch.var_mean(x, (0, 2, 3), keepdim=True, correction=0)
    return (x - mean) / (variance + 1e-5).sqrt()


def _size(gradient: Tensor) -> float:
    return float(gradient.square().mean().sqrt())


CLAIM = Experiment(
    statement="In a plain network of 42 layers with batch norm, the gradient vanishes towards the input.",
    sources=(
        Source(who="a common reason for shortcuts", stance="agrees"),
        Source(
            who="He et al. 2016, Deep Residual Learning, section 4.1 (batch norm keeps gradients healthy)",
            stance="denies",
            link="https://arxiv.org/abs/1512.03385",
        ),
        Source(
            who="Yang et al. 2019, A Mean Field Theory of Batch Normalization (it makes them explode)",
            stance="denies",
            link="https://arxiv.org/abs/1902.08129",
        ),
    ),
    scope=f"{LAYERS} layers of {CHANNELS} channels on {SIDE} x {SIDE} noise, batch {BATCH}, at the start",
    arms=(FIRST, LAST),
    estimand="root mean square of the loss's gradient at the layer's output",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=2.0,
    seeds=8,
    run=run,
)
