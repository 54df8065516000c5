"""The bound of a likelihood that every denoiser gives: how well it tells a sample from noise, at all noise levels.

Kingma, Salimans, Poole, Ho: Variational Diffusion Models (NeurIPS 2021), https://arxiv.org/abs/2107.00630. For samples
``x + sigma e`` with noise from ``sigma_min`` to ``sigma_max`` and a denoiser D (their eq. 11 and 17, with the
signal-to-noise ratio ``1 / sigma^2``):

``-ln p(x) <= KL(N(x, sigma_max^2) || prior) + E[int |x - D(x + sigma e; sigma)|^2 / sigma^2 d ln sigma] - E[ln p(x |
z)]``

with z at ``sigma_min``. It is exact where D is the best denoiser that there is and ``sigma_max`` is large. Points have
a density, and ``p(x | z) = N(z, sigma_min^2)``; of pictures, whose colours are whole, ``p(x | z)`` is the share of each
colour among the 256, under the same normal distribution (their eq. 14 with it).
"""

import math
from collections.abc import Callable

import torch

from ganvas.core.pixels import COLOURS
from ganvas.core.shapes import Images, PerSample, Samples
from ganvas.losses.diffusion.solvers import wide

Denoiser = Callable[[Samples, PerSample], Samples]  # Of noisy samples and each one's noise level.

NEAR = 12.0  # Deviations from a colour beyond which no other is looked at.


def variational_bound(
    denoise: Denoiser,
    x: Samples,
    rng: torch.Generator,
    *,
    sigma_min: float,
    sigma_max: float,
    prior_std: float,
    draws: int,
    whole_colours: bool,
) -> PerSample:
    """A lower bound of ``ln p(x)`` in nats per sample, its integral over noise levels by ``draws`` random ones.

    The levels of a sample are spread evenly on the logarithmic scale, all moved by one random number, which makes the
    integral more exact than independent ones (appendix I.1 of the paper).

    Args:
        prior_std: Deviation of the noise that drawing starts from.
        whole_colours: The samples are pictures in [-1, 1] of whole colours, and ``p(x)`` is their probability.
    """
    span, n = math.log(sigma_max / sigma_min), len(x)
    offsets = torch.rand(n, generator=rng, device=rng.device)
    total = torch.zeros(n, dtype=torch.float64, device=x.device)
    for number in range(draws):
        along = (offsets + number / draws) % 1.0
        sigma = (sigma_min * (span * along).exp()).to(x)
        by = wide(sigma, x)
        noise = torch.randn(x.shape, generator=rng, device=rng.device).to(x)
        error = (x - denoise(x + by * noise, sigma)) / by
        total += error.double().square().flatten(1).sum(1)
    noise = torch.randn(x.shape, generator=rng, device=rng.device).to(x)
    told = colours_told if whole_colours else values_told
    return told(x, noise, sigma_min) - prior_gap(x, sigma_max, prior_std) - span * total / draws


def prior_gap(x: Samples, sigma_max: float, prior_std: float) -> PerSample:
    """``KL(N(x, sigma_max^2) || N(0, prior_std^2))`` in nats per sample."""
    ratio = (sigma_max / prior_std) ** 2
    squares = x.double().square().flatten(1)
    return 0.5 * (squares.sum(1) / prior_std**2 + squares.shape[1] * (ratio - 1 - math.log(ratio)))


def values_told(x: Samples, noise: Samples, sigma: float) -> PerSample:
    """``ln N(x; x + sigma noise, sigma^2)`` in nats per sample."""
    squares = noise.double().square().flatten(1)
    return -0.5 * (squares.sum(1) + squares.shape[1] * math.log(2 * math.pi * sigma**2))


def colours_told(x: Images, noise: Images, sigma: float) -> PerSample:
    """``ln p(x | x + sigma noise)`` in nats per picture, with ``p(x | z)`` in proportion to ``N(z; x, sigma^2)``."""
    apart = 2 / (COLOURS - 1) / sigma  # Between neighbouring colours, in deviations.
    colour = ((x.double() + 1) * (COLOURS - 1) / 2).round()
    reach = max(math.ceil(NEAR / apart), 1)
    others = []
    for step in range(-reach, reach + 1):
        weight = -0.5 * (noise.double() - step * apart).square()
        there = (colour + step >= 0) & (colour + step <= COLOURS - 1)
        others.append(torch.where(there, weight, weight.new_tensor(-math.inf)))
    whole = torch.logsumexp(torch.stack(others), 0)
    return (-0.5 * noise.double().square() - whole).flatten(1).sum(1)
