"""A bottleneck takes high frequencies away, such as those of noise, and keeps low ones.

It takes away directions of small variance. Where the signal is stripes and the noise is a slow drift, the stripes stay.
"""

import math
from collections.abc import Sequence

import torch

from ganvas.claims.bottlenecks._linear import directions
from ganvas.claims.judging.claim import Experiment, Source

SAMPLES, LENGTH, WIDTH = 256, 64, 2
HIGH, LOW = "stripes of 24 periods", "drift of one period"
PERIODS = {HIGH: 24, LOW: 1}
DEVIATION = {HIGH: 1.0, LOW: 0.2}


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Share of the energy of one frequency that comes through."""
    return [_kept(arm, seed) for seed in seeds]


def _kept(arm: str, seed: int) -> float:
    generator = torch.Generator().manual_seed(seed)
    parts = {name: DEVIATION[name] * torch.randn(SAMPLES, 2, generator=generator) @ _waves(name) for name in PERIODS}
    kept = directions(parts[HIGH] + parts[LOW], WIDTH)
    return float((parts[arm] @ kept).square().sum() / parts[arm].square().sum())


def _waves(name: str) -> torch.Tensor:
    """Sine and cosine of a frequency, of length 1."""
    angle = 2 * math.pi * PERIODS[name] * torch.arange(LENGTH) / LENGTH
    return torch.stack([angle.sin(), angle.cos()]) * math.sqrt(2 / LENGTH)


CLAIM = Experiment(
    statement="Less of high frequencies than of low ones comes through a bottleneck.",
    sources=(Source(who="a common description of denoising by autoencoders", stance="agrees"),),
    scope=f"a linear autoencoder of {WIDTH} units, stripes five times as strong as a drift, {LENGTH} samples long",
    arms=(HIGH, LOW),
    estimand="share of the energy that comes through",
    says="less",
    unit="of all",
    smallest_effect=0.1,
    seeds=8,
    run=run,
)
