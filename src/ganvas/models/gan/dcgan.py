"""DCGAN: the first recipe by which convolutional generators of pictures trained reliably; still the plain baseline.

Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks
(ICLR 2016), https://arxiv.org/abs/1511.06434. Strided convolutions in place of pooling, batch normalisation in both
networks, no hidden dense layers, ReLU in the generator and leaky ReLU in the discriminator; Adam with a slow first
moment. The players' losses are the non-saturating ones of Goodfellow et al. 2014 (https://arxiv.org/abs/1406.2661).

Departs from the paper:
- Kernels are 4x4, as in the form in which the network is mostly used today (the DCGAN example of PyTorch, whose
  numbers of parameters it has at ``features=64``); figure 1 of the paper draws 5x5, which leaves a checkerboard.
- The gain of a batch norm starts at 1; in both known codes at N(1, 0.02).
- Pictures need not be square nor 64x64: ``base`` is the size of the first resolution, doubled as often as needed, and
  feature maps are halved with every doubling, from at most ``features_max``.
- Pictures to look at are made with the running statistics of batch norm, not with a batch's, so that each depends on
  its own latent alone.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from ganvas.core.errors import UserError
from ganvas.core.schedule import Growth, steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.core.sizes import doublings
from ganvas.losses.adversarial import non_saturating_discriminator, non_saturating_generator
from ganvas.losses.game import Adam, Batch, Phase, Terms
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d
from ganvas.nn.norms.batch_norm import BatchNorm2d

FIRST = 4  # Nominal resolution of the first block, whatever its true size.
STD = 0.02  # Of every starting weight (section 4).
SLOPE = 0.2  # Of the discriminator's leaky ReLU.
DOUBLING = {"kernel_size": 4, "stride": 2, "padding": 1, "bias": False, "std": STD}  # Of a side, or its halving.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are the paper's."""

    resolution: int = 64  # 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 64x96.
    channels: int = 3
    num_classes: int = 0  # The paper has no labels; neither has this.
    latent_size: int = 100
    prior: Literal["uniform", "normal"] = "uniform"  # U[-1, 1) as in the paper, or N(0, 1) as in most later codes.
    features: int = 128  # Feature maps of the largest hidden resolution; doubled with every halving of the size ...
    features_max: int = 1024  # ... up to this.
    batch_size: int = 128
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        doublings(self.resolution)
        if self.num_classes != 0:
            raise UserError(
                f"num_classes={self.num_classes}: gan/dcgan draws pictures without labels, so it must be 0. "
                "gan/progan draws pictures of given classes."
            )
        for name in ("channels", "latent_size", "features", "features_max", "batch_size"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)} must be at least 1.")
        if min(self.base) < 1:
            raise UserError(f"base={self.base} must be two sizes of at least 1, such as 4,6.")
        if self.lr <= 0 or self.eps <= 0:
            raise UserError(f"lr={self.lr} and eps={self.eps} must be above 0.")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)} must be in [0, 1).")

    @property
    def levels(self) -> int:
        """How often the first resolution is doubled."""
        return doublings(self.resolution)

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the pictures."""
        return self.base[0] << self.levels, self.base[1] << self.levels

    def maps(self) -> list[int]:
        """Feature maps from the first resolution up; the last are the picture's channels."""
        hidden = range(self.levels - 1, -1, -1)
        return [*(min(self.features << halvings, self.features_max) for halvings in hidden), self.channels]


TINY = Config(resolution=16, latent_size=8, features=4, batch_size=8)


class Generator(nn.Module):
    """From a latent to a picture: a dense layer to the first resolution, then transposed convolutions that double."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        maps = config.maps()
        # On a picture of one pixel a transposed convolution is a dense layer.
        self.convolutions = nn.ModuleList(
            [ConvTranspose2d(config.latent_size, maps[0], config.base, bias=False, std=STD)]
            + [ConvTranspose2d(before, after, **DOUBLING) for before, after in pairwise(maps)]
        )
        self.norms = nn.ModuleList(BatchNorm2d(channels) for channels in maps[:-1])

    def forward(self, z: Latents) -> Images:
        x = z[:, :, None, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=False):
            x = F.relu(norm(convolution(x)))
        return self.convolutions[-1](x).tanh()


class Discriminator(nn.Module):
    """From a picture to the logit of its being real: convolutions that halve, then a dense layer."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        maps = config.maps()[::-1]
        self.convolutions = nn.ModuleList(Conv2d(before, after, **DOUBLING) for before, after in pairwise(maps))
        # None on the picture: the discriminator is to see the colours as they are.
        self.norms = nn.ModuleList([nn.Identity(), *(BatchNorm2d(channels) for channels in maps[2:])][: config.levels])
        self.score = Conv2d(maps[-1], 1, config.base, bias=False, std=STD)

    def forward(self, images: Images) -> PerSample:
        x = images
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.leaky_relu(norm(convolution(x)), SLOPE)
        score = self.score(x).flatten()
        return score.to(torch.promote_types(score.dtype, torch.float32))


class Model(nn.Module):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = Discriminator(config)

    def schedule(self) -> Growth:
        """One resolution, one batch size, one learning rate."""
        return steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase]:
        """Discriminator, then generator, each on fresh latents."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2, eps=self.config.eps)
        return [
            Phase("D", self.discriminator, self._discriminator_loss, optimizer=adam),
            Phase("G", self.generator, self._generator_loss, optimizer=adam),
        ]

    def _discriminator_loss(self, batch: Batch) -> Terms:
        """Reals and fakes pass in two batches: in one, batch norm would tell them apart by their shares."""
        with torch.no_grad():
            fakes = self._fakes(batch)
        real, fake = self.discriminator(batch.images), self.discriminator(fakes)
        return {"non_saturating": non_saturating_discriminator(real, fake)}

    def _generator_loss(self, batch: Batch) -> Terms:
        return {"non_saturating": non_saturating_generator(self.discriminator(self._fakes(batch)))}

    def _fakes(self, batch: Batch) -> Images:
        if self.config.prior == "normal":
            return self.generator(batch.randn(self.config.latent_size))
        return self.generator(2 * batch.rand(self.config.latent_size) - 1)

    def latents(self, n: int, rng: torch.Generator) -> Latents:
        """``n`` latents from the prior."""
        shape = (n, self.config.latent_size)
        if self.config.prior == "normal":
            return torch.randn(shape, generator=rng, device=rng.device)
        return 2 * torch.rand(shape, generator=rng, device=rng.device) - 1

    def judge(self, images: Images) -> PerSample:
        """How real the discriminator finds pictures in [-1, 1]; higher is more real."""
        return self.discriminator(images)

    def decode(self, z: Latents, labels: Labels | None = None) -> Images:
        """Pictures in [-1, 1] of latents."""
        return self.generator(z)
