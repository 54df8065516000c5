"""Variational autoencoder: a picture becomes a distribution over latents and back, by one loss that bounds likelihood.

Kingma, Welling: Auto-Encoding Variational Bayes (ICLR 2014), https://arxiv.org/abs/1312.6114. Unlike a GAN it has one
player and nothing to balance, it knows which latents a given picture has, and a number says how well it does: the
evidence lower bound. Its pictures are softer.

The likelihood is a Gaussian around the decoder's picture with one learnt variance for all pixels, the sigma-VAE of
Rybkin, Daniilidis, Levine: Simple and Effective VAE Training with Calibrated Decoders (ICML 2021),
https://arxiv.org/abs/2006.13202. With the usual fixed variance the divergence outweighs the reconstruction, and
pictures turn to grey mush; a learnt one is as small as the reconstruction allows, and no weight is to be tuned.

Departs from the papers:
- Networks are convolutional (the first paper's have one hidden dense layer).
- The variance has a floor of a rounding error of pictures in bytes, so that the density of flat pictures is bounded.
- Log-densities are of colours in [-1, 1]; for colours in 0..255 subtract log(127.5) per value.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample, Scalar
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.latent_game import LatentGame
from ganvas.losses.optimizers import Adam
from ganvas.nn.layers.fused_scale import EqualizedUpConv2d
from ganvas.nn.layers.plain_layers import Conv2d, Linear

FIRST = 4  # Nominal resolution of the smallest feature maps, whatever their true size.
SLOPE = 0.2  # Of the leaky ReLUs.
HASTE = 20.0  # log variance = HASTE * parameter: Adam moves a parameter by lr, which would take thousands of steps.
START = -2.0  # Log variance at the start, a little less than that of most pictures' colours.
FLOOR = 2 * math.log(1 / 255)  # Log variance of half a grey level, where a grey level is 2 / 255.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the two networks and their training."""

    resolution: int = 32  # 4 * 2^k: how often the smallest feature maps are doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the smallest feature maps; (4, 6) becomes 32x48.
    channels: int = 3
    latent_size: int = 64
    features: int = 32  # Feature maps of the full resolution; doubled with every halving of the size ...
    features_max: int = 256  # ... up to this.
    batch_size: int = 64
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "batch_size")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def maps(self) -> list[int]:
        """Feature maps from the smallest size up."""
        return [min(self.features << halvings, self.features_max) for halvings in range(self.picture.levels, -1, -1)]


TINY = Config(resolution=16, latent_size=4, features=4, batch_size=8)


class Encoder(nn.Module):
    """From pictures to the mean and the log variance of their latents, ``q(z | x) = N(mean, diag(variance))``."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        maps = config.maps()[::-1]
        self.first = Conv2d(config.channels, maps[0], 3, padding=1)
        self.halvings = nn.ModuleList(Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(maps))
        self.convolutions = nn.ModuleList(Conv2d(channels, channels, 3, padding=1) for channels in maps[1:])
        features = maps[-1] * config.base[0] * config.base[1]
        self.last = Linear(features, 2 * config.latent_size, std=1 / math.sqrt(features))

    def forward(self, images: Images) -> tuple[Latents, Latents]:
        x = F.leaky_relu(self.first(images), SLOPE)
        for halving, convolution in zip(self.halvings, self.convolutions, strict=True):
            x = F.leaky_relu(halving(x), SLOPE)
            x = F.leaky_relu(convolution(x), SLOPE)
        mean, log_variance = _wide(self.last(x.flatten(1))).chunk(2, dim=1)
        return mean, log_variance


class Decoder(nn.Module):
    """From latents to the mean of ``p(x | z) = N(mean, sigma^2 I)``; sigma is the same for all pixels and pictures."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.base, maps = config.base, config.maps()
        self.first = Linear(config.latent_size, maps[0] * config.base[0] * config.base[1])
        self.convolutions = nn.ModuleList(Conv2d(channels, channels, 3, padding=1) for channels in maps[:-1])
        self.doublings = nn.ModuleList(EqualizedUpConv2d(a, b, equalized=False) for a, b in pairwise(maps))
        self.last = Conv2d(maps[-1], config.channels, 3, padding=1, std=1 / math.sqrt(9 * maps[-1]))
        self.unscaled_log_variance = nn.Parameter(torch.full((), torch.nan))

    def reset(self, generator: torch.Generator) -> None:
        """The variance of :data:`START`; draws nothing."""
        nn.init.constant_(self.unscaled_log_variance, START / HASTE)

    def forward(self, z: Latents) -> Images:
        x = self.first(z).view(z.shape[0], -1, *self.base).contiguous(memory_format=torch.channels_last)
        x = F.leaky_relu(x, SLOPE)
        for convolution, doubling in zip(self.convolutions, self.doublings, strict=True):
            x = F.leaky_relu(convolution(x), SLOPE)
            x = F.leaky_relu(doubling(x), SLOPE)
        return _wide(self.last(x)).tanh()

    def log_variance(self) -> Scalar:
        """``log sigma^2``, in units of the colour range [-1, 1]."""
        log_variance = HASTE * self.unscaled_log_variance
        return torch.logaddexp(log_variance, torch.full_like(log_variance, FLOOR))


class Model(LatentGame[Config, Pictures]):
    """The two networks, which are one player."""

    takes = (Pictures,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """Encoder and decoder descend the negative evidence lower bound together."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2, eps=self.config.eps)
        return [Phase(name="VAE", player=self, loss=self._loss, optimizer=adam)]

    def _loss(self, batch: Pictures) -> Terms:
        return self._terms(batch.images, batch.randn(self.config.latent_size))

    def _terms(self, images: Images, noise: Latents) -> dict[str, PerSample]:
        """The negative evidence lower bound at ``z = mean + sqrt(variance) noise``, in its two parts, in nats."""
        mean, log_variance = self.encoder(images)
        decoded = self.decoder(mean + (0.5 * log_variance).exp() * noise.to(mean.dtype))
        return {
            "reconstruction": -gaussian_log_density(images, decoded, self.decoder.log_variance()),
            "kl": divergence_from_standard_normal(mean, log_variance),
        }

    def elbo(self, images: Images, rng: torch.Generator) -> PerSample:
        """A one-latent estimate of the evidence lower bound, ``<= log p(x)`` on average, in nats per picture."""
        noise = torch.randn(len(images), self.config.latent_size, generator=rng, device=rng.device)
        terms = self._terms(images, noise.to(images.device))
        return -(terms["reconstruction"] + terms["kl"])

    def encode(self, images: Images) -> tuple[Latents, Latents]:
        """Mean and log variance of each picture's latent."""
        return self.encoder(images)

    def log_variance(self) -> Scalar:
        """``log sigma^2`` of the noise around decoded pictures, in units of the colour range [-1, 1]."""
        return self.decoder.log_variance()

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """The mean pictures of latents, in [-1, 1]: without the noise of the likelihood."""
        return self.decoder(z)


def gaussian_log_density(x: Images, mean: Images, log_variance: Scalar) -> PerSample:
    """``log N(x; mean, sigma^2 I) = -1/2 sum (log 2 pi sigma^2 + (x - mean)^2 / sigma^2)``, in nats per picture."""
    squares = (x - mean).square() * (-log_variance).exp()
    return -0.5 * (squares + log_variance + math.log(2 * math.pi)).flatten(1).sum(1)


def divergence_from_standard_normal(mean: Latents, log_variance: Latents) -> PerSample:
    """``KL(N(mean, variance) || N(0, I)) = 1/2 sum (mean^2 + variance - 1 - log variance)`` (appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def _wide(x: Tensor) -> Tensor:
    """Float32 at least: sums over all pixels and exponentials follow."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
