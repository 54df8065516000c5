"""Flow matching: samples are drawn along paths from noise to data that training made nearly straight.

Lipman, Chen, Ben-Hamu, Nickel, Le: Flow Matching for Generative Modeling (ICLR 2023), https://arxiv.org/abs/2210.02747,
with the straight paths of Liu, Gong, Liu: Flow Straight and Fast (rectified flow, ICLR 2023),
https://arxiv.org/abs/2209.03003: ``x_t = (1 - t) x_0 + t x_1`` from noise x_0 to a sample x_1, whose velocity is
``x_1 - x_0``. A network v is taught that velocity by squared error, so it learns its mean over all pairs whose path
goes through x at t, and ``dx/dt = v(x, t)`` carries the law of the noise to that of the data. One step from t = 0
gives the mean of the data; the straighter the paths, the fewer steps are needed.

With classes, ``label_dropout`` of the samples are shown without theirs, so that drawing can be guided (Ho & Salimans
2022, https://arxiv.org/abs/2207.12598).

Departs from the papers:
- The network is EDM's (:mod:`ganvas.networks.denoising_unet`); theirs are other U-Nets. Rates and sizes are those of
  torchcfm (https://github.com/atong01/conditional-flow-matching, examples/images/cifar10), without its clipping of
  gradients.
- The average of the weights grows old with the run at first (``average_ramp``), as EDM's does.
- Paths end in the sample itself (sigma_min = 0 in Lipman et al., eq. 20), as in rectified flow.
- Theirs learn from even times, and draw by adaptive solvers or even steps; here ``rho`` says how dense the times of
  both lie towards the sample. Esser et al. 2024 (https://arxiv.org/abs/2403.03206) weigh times too, by another law.
- There is no second training on the model's own pairs of noise and sample ("reflow").
- Of points, which are brought to a variance of 1/2 first, the network is fully connected.
"""

from dataclasses import dataclass, replace

import torch

from ganvas.core.checks import above
from ganvas.core.shapes import Labels, PerSample, Samples
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.diffusion.diffusion_config import DiffusionConfig
from ganvas.losses.diffusion.diffusion_game import DiffusionGame, mean_square
from ganvas.losses.diffusion.solvers import SolverOptions, path_times, solve, wide
from ganvas.losses.game import Terms
from ganvas.networks.denoisers import denoiser

TOLD_TIMES = 1000  # A time of 1 is told to the network as this number, so that its waves tell near times apart.


@dataclass(frozen=True, kw_only=True)
class Config(DiffusionConfig):
    """Every setting of the network, its training and its drawing; the defaults are torchcfm's for CIFAR-10.

    Noise levels are ratios of noise to sample, and serve the likelihood alone.
    """

    multipliers: tuple[int, ...] = (1, 2, 2, 2)
    blocks: int = 2
    dropout: float = 0.1
    steps: int = 20
    rho: float = 1.0  # Of times, in training and drawing: 1 is even, and the larger, the more lie near the sample.
    batch_size: int = 128
    lr: float = 2e-4
    warm_up_kimg: float = 640.0
    average_half_life_kimg: float = 887.0  # 0.9999 per step of 128.

    def __post_init__(self) -> None:
        super().__post_init__()
        above(self, 0, "rho")


# Ours, for points. Modes of a hundredth of the data's width need short steps at the end: twenty even steps of Heun draw
# a normal law of that width 2.7 times too wide, twenty of rho = 2 a tenth too wide.
POINTS = Config(dims=2, dropout=0.0, rho=2.0, batch_size=256, lr=1e-3, warm_up_kimg=10.0, average_half_life_kimg=100.0)
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
    lr=1e-3,
    warm_up_kimg=0.0,
)
TINY_POINTS = replace(TINY, dims=2)


class Model(DiffusionGame[Config]):
    """The velocity, how it is taught, and how it draws."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.network = denoiser(config)

    def velocity(self, x: Samples, time: PerSample, labels: Labels | None) -> Samples:
        """``v(x, t)``, float32 at least."""
        found = self.network(x, TOLD_TIMES * time, labels)
        return found.to(torch.promote_types(found.dtype, torch.float32))

    def loss_of(self, x: Samples, labels: Labels | None, batch: Pictures | Points) -> Terms:
        """``|v(x_t, t) - (x_1 - x_0)|^2`` at a random time (``rho``), a mean over the numbers of a sample."""
        left = (1 - batch.rand().to(x.dtype)) ** self.config.rho
        time, noise = 1 - left, batch.randn(*x.shape[1:]).to(x.dtype)
        along = (1 - wide(time, x)) * noise + wide(time, x) * x
        return {"matching": mean_square(self.velocity(along, time, labels) - (x - noise))}

    def denoised(self, x: Samples, sigma: PerSample, labels: Labels | None) -> Samples:
        """``x_t + (1 - t) v(x_t, t)`` at ``t = 1 / (1 + sigma)``, where ``x_t / t`` is a sample with such noise."""
        time = 1 / (1 + sigma)
        along = wide(time, x) * x
        return along + wide(1 - time, x) * self.velocity(along, time, labels)

    def draw(
        self, noise: Samples, labels: Labels | None, options: SolverOptions, rng: torch.Generator | None
    ) -> Samples:
        """``dx/dt = v(x, t)`` from 0 to 1: the state in float64, the network in its own precision."""

        def field(x: Samples, time: float) -> Samples:
            given = x.to(noise.dtype)
            times = torch.full((len(x),), time, dtype=noise.dtype, device=x.device)
            return self.guided(lambda told: self.velocity(given, times, told), labels, options)

        steps = options.steps or self.config.steps
        return solve(field, noise, path_times(steps, rho=self.config.rho), options.solver or self.config.solver)
