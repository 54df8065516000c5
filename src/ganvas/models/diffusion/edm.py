"""EDM: a network learns to remove noise of every strength, and drawing removes it from pure noise, little by little.

Karras, Aittala, Aila, Laine: Elucidating the Design Space of Diffusion-Based Generative Models (NeurIPS 2022),
https://arxiv.org/abs/2206.00364. With noise of deviation sigma added to samples, the best denoiser
``D(x; sigma) = E[y | y + n = x]`` gives the direction to where the data is denser: ``dx / d sigma = (x - D(x; sigma)) /
sigma`` (eq. 1 and 3) leads from noise of deviation sigma_max to samples. D is a network between factors that keep its
inputs, its targets and its errors at variance 1 whatever sigma is (eq. 7, section 5, table 1).

``parameterisation="vp"`` is the same with the factors and noise levels of DDPM (Ho et al. 2020,
https://arxiv.org/abs/2006.11239) in continuous time (Song et al. 2021, https://arxiv.org/abs/2011.13456), whose network
says the noise: table 1's column "VP". It is drawn along EDM's noise levels too, which section 3 recommends for any.

With classes, ``label_dropout`` of the samples are shown without theirs, so that drawing can be guided (Ho & Salimans
2022, https://arxiv.org/abs/2207.12598); the paper does not guide.

Departs from the paper:
- No augmentation of the training pictures (its appendix F.2), and no mirroring unless the run's plan says so.
- ``label_dropout`` is 0.1 unless a preset says otherwise; the code's is 0.
- The loss is a mean over a sample's numbers, where the code has a sum; Adam does not notice.
- Weights start from normal numbers in the place of uniform ones of the same deviation, the last layers of branches at
  0.
- Of points, which the paper has not, the network is fully connected, and sigma_data is sqrt(1/2), theirs by the frame.
- Noise on the way (algorithm 2) is added at every level; the paper bounds the levels for ImageNet (S_tmin, S_tmax).
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch

from ganvas.core.checks import above, at_least
from ganvas.core.shapes import Labels, PerSample, Samples
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.diffusion.diffusion_config import DiffusionConfig
from ganvas.losses.diffusion.diffusion_game import DiffusionGame, mean_square
from ganvas.losses.diffusion.solvers import (
    SOLVERS,
    SolverOptions,
    euler_step,
    noise_levels,
    wide,
)
from ganvas.losses.game import Terms
from ganvas.networks.denoisers import denoiser

BETA_MIN, BETA_RANGE = 0.1, 19.9  # Of "vp": the noise that is added per time goes from the first to their sum.
VP_LEAST_TIME = 1e-5  # From which to 1 times are drawn.
VP_STEPS = 1000  # What DDPM counts a whole time as.
MOST_CHURN = math.sqrt(2) - 1  # Of the noise that is there, added at one step (algorithm 2).


@dataclass(frozen=True, kw_only=True)
class Config(DiffusionConfig):
    """Every setting of the network, its training and its drawing; the defaults are the paper's for CIFAR-10.

    Noise levels while drawing go from ``sigma_max`` to ``sigma_min``.
    """

    multipliers: tuple[int, ...] = (2, 2, 2)
    blocks: int = 4
    dropout: float = 0.13
    parameterisation: Literal["edm", "vp"] = "edm"
    sigma_data: float = 0.5  # Deviation of the data. Of "edm".
    noise_mean: float = -1.2  # Of the logarithm of the noise level while learning. Of "edm".
    noise_std: float = 1.2
    rho: float = 7.0  # The larger, the more steps lie at little noise.
    steps: int = 18
    churn: float = 0.0  # S_churn: noise added on the way, and removed again.
    churn_noise: float = 1.0  # S_noise: its deviation, in units of what would keep the noise level.
    batch_size: int = 512
    lr: float = 1e-3
    warm_up_kimg: float = 10_000.0
    average_half_life_kimg: float = 500.0

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "churn")
        above(self, 0, "sigma_data", "noise_std", "rho", "churn_noise")


POINTS = Config(
    dims=2,
    sigma_data=math.sqrt(0.5),
    noise_mean=-1.5,
    noise_std=1.5,
    dropout=0.0,
    batch_size=256,
    warm_up_kimg=10.0,
    average_half_life_kimg=100.0,
)  # Ours, for points.
TINY = Config(
    height=8,
    width=8,
    features=4,
    multipliers=(1, 2),
    blocks=1,
    hidden=8,
    depth=2,
    steps=3,
    batch_size=8,
    warm_up_kimg=0.0,
)
TINY_POINTS = replace(TINY, dims=2)


class Model(DiffusionGame[Config]):
    """The denoiser, how it is taught, and how it draws."""

    churns = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.network = denoiser(config)

    def denoised(self, x: Samples, sigma: PerSample, labels: Labels | None) -> Samples:
        """``D(x; sigma) = c_skip x + c_out F(c_in x; c_noise)`` (eq. 7, table 1)."""
        skip, out, into, said = preconditioning(sigma, self.config)
        raw = self.network(wide(into, x) * x, said, labels)
        return wide(skip, x) * x + wide(out, x) * raw.to(torch.promote_types(raw.dtype, torch.float32))

    def loss_of(self, x: Samples, labels: Labels | None, batch: Pictures | Points) -> Terms:
        """``lambda(sigma) |D(y + n; sigma) - y|^2`` (eq. 2 and 8), a mean over the numbers of a sample."""
        sigma = self._levels(batch).to(x.dtype)
        noisy = x + wide(sigma, x) * batch.randn(*x.shape[1:]).to(x.dtype)
        return {"denoising": weights(sigma, self.config) * mean_square(self.denoised(noisy, sigma, labels) - x)}

    def _levels(self, batch: Pictures | Points) -> PerSample:
        """Noise levels to learn from: log-normal, or those of DDPM's times."""
        config = self.config
        if config.parameterisation == "vp":
            return vp_sigma(VP_LEAST_TIME + (1 - VP_LEAST_TIME) * batch.rand())
        return (config.noise_mean + config.noise_std * batch.randn()).exp()

    def adds_noise(self, options: SolverOptions) -> bool:
        """Whether there is noise on the way."""
        return self._churn(options) > 0

    def _churn(self, options: SolverOptions) -> float:
        return self.config.churn if options.churn is None else options.churn

    def draw(
        self, noise: Samples, labels: Labels | None, options: SolverOptions, rng: torch.Generator | None
    ) -> Samples:
        """Algorithm 2, from noise of deviation ``sigma_max``: the state in float64, the network in its own precision.

        The last step is Euler's, because the equation has no direction at a noise level of 0.
        """
        config = self.config
        step = SOLVERS[options.solver or config.solver]
        steps = options.steps or config.steps
        churn = self._churn(options)

        def slope(x: Samples, sigma: float) -> Samples:
            given = x.to(noise.dtype)
            levels = torch.full((len(x),), sigma, dtype=noise.dtype, device=x.device)
            return (x - self.guided(lambda told: self.denoised(given, levels, told), labels, options)) / sigma

        levels = noise_levels(steps, sigma_min=config.sigma_min, sigma_max=config.sigma_max, rho=config.rho)
        x = noise.double() * levels[0]
        for now, then in pairwise(levels):
            if churn:
                more = now * (1 + min(churn / steps, MOST_CHURN))
                fresh = torch.randn(x.shape, generator=rng, device=x.device, dtype=torch.float64)
                x, now = x + math.sqrt(more**2 - now**2) * config.churn_noise * fresh, more
            x = (step if then else euler_step)(slope, x, now, then)
        return x


def preconditioning(sigma: PerSample, config: Config) -> tuple[PerSample, PerSample, PerSample, PerSample]:
    """``c_skip, c_out, c_in, c_noise`` at each noise level (table 1)."""
    if config.parameterisation == "vp":
        return torch.ones_like(sigma), -sigma, 1 / (1 + sigma**2).sqrt(), (VP_STEPS - 1) * vp_time(sigma)
    data = config.sigma_data
    total = sigma**2 + data**2
    return data**2 / total, sigma * data / total.sqrt(), 1 / total.sqrt(), sigma.log() / 4


def weights(sigma: PerSample, config: Config) -> PerSample:
    """``lambda(sigma) = 1 / c_out^2``: an untrained network loses 1 at every noise level, or about that."""
    return 1 / preconditioning(sigma, config)[1].square()


def vp_sigma(time: PerSample) -> PerSample:
    """``sqrt(exp(beta_d t^2 / 2 + beta_min t) - 1)`` (table 1)."""
    return torch.expm1(BETA_RANGE * time**2 / 2 + BETA_MIN * time).sqrt()


def vp_time(sigma: PerSample) -> PerSample:
    """The time at which :func:`vp_sigma` is ``sigma``."""
    return ((BETA_MIN**2 + 2 * BETA_RANGE * torch.log1p(sigma**2)).sqrt() - BETA_MIN) / BETA_RANGE
