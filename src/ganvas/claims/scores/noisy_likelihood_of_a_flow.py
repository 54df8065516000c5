"""The likelihood that annealed importance sampling estimates is the generator's own.

It estimates the density of a generator with some noise around its samples. Of a flow that nearly flattens its latents
the exact density is far higher, and held-out samples of its own lie where the noise hides it.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ganvas.claims.judging.claim import Experiment, Source

DIMS, SAMPLES, NOISE = 8, 256, 0.1
ESTIMATED, EXACT = f"with noise of {NOISE:g}", "of the flow"


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Mean log density of held-out samples in nats per dimension."""
    return [_density(arm, seed) for seed in seeds]


def _density(arm: str, seed: int) -> float:
    """Of a linear flow whose stretchings lie between 0.01 and 1; with noise it is normal too, so both are closed."""
    generator = torch.Generator().manual_seed(seed)
    stretchings = 10 ** (-2 * torch.rand(DIMS, generator=generator, dtype=torch.float64))
    turn = torch.linalg.qr(torch.randn(DIMS, DIMS, generator=generator, dtype=torch.float64)).Q
    flow = turn * stretchings
    x = torch.randn(SAMPLES, DIMS, generator=generator, dtype=torch.float64) @ flow.T
    covariance = flow @ flow.T + (NOISE**2 if arm == ESTIMATED else 0) * torch.eye(DIMS, dtype=torch.float64)
    return _log_normal(x, covariance) / DIMS


def _log_normal(x: Tensor, covariance: Tensor) -> float:
    squares = (x * torch.linalg.solve(covariance, x.T).T).sum(1).mean()
    return float(-(squares + torch.logdet(covariance) + DIMS * math.log(2 * math.pi)) / 2)


CLAIM = Experiment(
    statement="The density of a flow with a little noise, which AIS estimates, is that of the flow.",
    sources=(
        Source(
            who="Wu et al. 2017, On the Quantitative Analysis of Decoder-Based Generative Models (with noise assumed)",
            stance="agrees",
            link="https://arxiv.org/abs/1611.04273",
        ),
        Source(
            who="Grover, Dhar & Ermon 2018, Flow-GAN",
            stance="denies",
            link="https://arxiv.org/abs/1705.08868",
        ),
    ),
    scope=f"linear flows of {DIMS} dimensions, stretchings of 0.01 to 1, noise of {NOISE:g}, closed forms of both",
    arms=(ESTIMATED, EXACT),
    estimand="mean log density of held-out samples",
    says="same",
    unit="nats per dimension",
    smallest_effect=0.1,
    seeds=12,
    run=run,
)
