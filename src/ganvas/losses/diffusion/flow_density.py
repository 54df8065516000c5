"""The density that a denoiser's probability flow gives: exact but for the solver and for how a trace is estimated.

Song et al. 2021 (Score-Based Generative Modeling through SDEs, https://arxiv.org/abs/2011.13456), section 4.3 and
appendix D.2, with the noise levels of Karras et al. 2022: ``dx / d sigma = (x - D(x; sigma)) / sigma`` carries samples
to noise, and

``ln p(x) = ln N(x(sigma_max); 0, sigma_max^2) + int div((x - D) / sigma) d sigma``

along the way. The divergence is ``E[v^T J v]`` for random signs v (Hutchinson), found from one product with the
Jacobian. Whole colours are given uniform noise within their bins first, so theirs is an estimate of a lower bound.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from ganvas.core.shapes import PerSample, Samples
from ganvas.losses.diffusion.solvers import noise_levels
from ganvas.losses.diffusion.variational_bound import Denoiser

RHO = 7.0


@runtime_checkable
class FollowsFlow(Protocol):
    """Carries samples to noise along an equation, and so knows their density."""

    def flow_log_prob(self, images: Tensor, rng: torch.Generator, steps: int) -> PerSample:
        """``ln p(x)`` in nats per sample, of whole colours or of points, with so many steps of Heun."""
        ...


@dataclass(frozen=True)
class FlowDensity:
    """A model's likelihood by its flow, as one that is asked for."""

    model: FollowsFlow
    steps: int
    density: Literal["estimate"] = "estimate"

    @property
    def density_details(self) -> str:
        """How it comes about."""
        return f"probability-flow:heun{self.steps}:hutchinson1:dequantised"

    def log_prob(self, images: Tensor, rng: torch.Generator) -> PerSample:
        """``ln p(x)`` in nats per sample."""
        return self.model.flow_log_prob(images, rng, self.steps)


def flow_log_density(
    denoise: Denoiser, x: Samples, rng: torch.Generator, *, sigma_min: float, sigma_max: float, steps: int
) -> PerSample:
    """The log density of samples with noise of ``sigma_min`` added, in nats per sample, by Heun's method."""
    signs = torch.randint(2, x.shape, generator=rng, device=rng.device).to(x) * 2 - 1
    at, total = x.double(), torch.zeros(len(x), dtype=torch.float64, device=x.device)
    levels = noise_levels(steps + 1, sigma_min=sigma_min, sigma_max=sigma_max, rho=RHO)[-2::-1]
    for now, then in pairwise(levels):
        length = then - now
        slope, spread = _slope(denoise, at, now, signs)
        other, other_spread = _slope(denoise, at + length * slope, then, signs)
        at = at + length / 2 * (slope + other)
        total = total + length / 2 * (spread + other_spread)
    squares = at.flatten(1).square().sum(1) / sigma_max**2
    return total - 0.5 * (squares + at[0].numel() * math.log(2 * math.pi * sigma_max**2))


def _slope(denoise: Denoiser, x: Samples, sigma: float, signs: Samples) -> tuple[Samples, PerSample]:
    """``(x - D) / sigma``, and an estimate of its divergence."""
    with torch.enable_grad():
        given = x.detach().to(signs.dtype).requires_grad_()
        levels = torch.full((len(x),), sigma, dtype=signs.dtype, device=x.device)
        denoised = denoise(given, levels)
        (product,) = torch.autograd.grad((denoised * signs).sum(), given)
    trace = (product * signs).double().flatten(1).sum(1)
    return (x - denoised.detach()) / sigma, (x[0].numel() - trace) / sigma
