"""Variational autoencoder: a picture becomes a distribution over latents and back, by one loss that bounds likelihood.

Kingma, Welling: Auto-Encoding Variational Bayes (ICLR 2014), https://arxiv.org/abs/1312.6114. Unlike a GAN it has one
player and nothing to balance, it knows which latents a given picture has, and a number says how well it does: the
evidence lower bound. Its pictures are softer.

``beta`` weighs the divergence (Higgins et al.: beta-VAE, ICLR 2017, https://openreview.net/forum?id=Sy2fzU9gl): above
1, codes hold less and pictures get softer. ``samples`` above 1 trains on the tighter bound of Burda, Grosse,
Salakhutdinov: Importance Weighted Autoencoders (ICLR 2016), https://arxiv.org/abs/1509.00519; the same bound, with as
many latents as one likes, says how likely pictures are at least.

The likelihood is a Gaussian around the decoder's picture with one learnt variance for all pixels, the sigma-VAE of
Rybkin, Daniilidis, Levine: Simple and Effective VAE Training with Calibrated Decoders (ICML 2021),
https://arxiv.org/abs/2006.13202. With the usual fixed variance the divergence outweighs the reconstruction, and
pictures turn to grey mush; a learnt one is as small as the reconstruction allows, and no weight is to be tuned.

Departs from the papers:
- Networks are convolutional (the first paper's have one hidden dense layer).
- The variance has a floor of a rounding error of pictures in bytes, so that the density of flat pictures is bounded.
- Training sees colours as they are; likelihoods of whole colours are of pictures with uniform noise within each
  colour's bin, and so lower bounds once more (Theis et al. 2016, section 3.1, https://arxiv.org/abs/1511.01844).
- The bound of one latent has the divergence in closed form; that of several draws it too.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample, Scalar
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.likelihoods.gaussian import divergence_from_standard_normal, gaussian_log_density, normal_log_ratio
from ganvas.losses.likelihoods.importance_bound import ImportanceBound
from ganvas.losses.optimizers import Adam
from ganvas.networks.convolutional_autoencoder import PictureDecoder, PictureEncoder

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
    beta: float = 1.0  # Weight of the divergence.
    samples: int = 1  # Latents per picture in training; above 1 the importance-weighted bound.
    bound_samples: int = 1  # Latents per picture of the bound that is measured.
    batch_size: int = 64
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "samples", "bound_samples", "batch_size")
        at_least(self, 0, "beta")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2")
        assert self.picture  # Its making checks the size.
        if self.samples > 1 and self.beta != 1:
            raise UserError(
                f"beta={self.beta} weighs a divergence, and the bound of samples={self.samples} latents has none. "
                "Give samples=1 or beta=1."
            )

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


TINY = Config(resolution=16, latent_size=4, features=4, batch_size=8)


class PixelNoise(nn.Module):
    """The learnt variance of the likelihood; sigma is the same for all pixels and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.unscaled_log_variance = nn.Parameter(torch.full((), torch.nan))

    def reset(self, generator: torch.Generator) -> None:
        """The variance of :data:`START`; draws nothing."""
        nn.init.constant_(self.unscaled_log_variance, START / HASTE)

    def forward(self) -> Scalar:
        """``log sigma^2``, in units of the colour range [-1, 1]."""
        log_variance = HASTE * self.unscaled_log_variance
        return torch.logaddexp(log_variance, torch.full_like(log_variance, FLOOR))


class Model(LatentGame[Config, Pictures]):
    """Encoder, decoder and the noise around its pictures, which are one player."""

    takes = (Pictures,)
    density: Literal["lower bound"] = "lower bound"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        widths = {"features": config.features, "features_max": config.features_max}
        self.encoder = PictureEncoder(config.picture, 2 * config.latent_size, **widths)
        self.decoder = PictureDecoder(config.picture, config.latent_size, **widths)
        self.noise = PixelNoise()

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """Encoder and decoder descend the negative evidence lower bound together."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2, eps=self.config.eps)
        return [Phase(name="VAE", player=self, loss=self._loss, optimizer=adam)]

    def _loss(self, batch: Pictures) -> Terms:
        config = self.config
        if config.samples > 1:
            noise = batch.randn(config.samples, config.latent_size).unbind(1)
            return {"importance_bound": -self._importance_bound(batch.images, noise)}
        terms = self._terms(batch.images, batch.randn(config.latent_size))
        return terms if config.beta == 1 else terms | {"kl": config.beta * terms["kl"]}

    def _terms(self, images: Images, noise: Latents) -> dict[str, PerSample]:
        """The negative evidence lower bound at ``z = mean + sqrt(variance) noise``, in its two parts, in nats."""
        mean, log_variance = self.encode(images)
        decoded = self.decoder(mean + (0.5 * log_variance).exp() * noise.to(mean.dtype))
        return {
            "reconstruction": -gaussian_log_density(images, decoded, self.noise()),
            "kl": divergence_from_standard_normal(mean, log_variance),
        }

    def _importance_bound(self, images: Images, noises: Iterable[Latents]) -> PerSample:
        """``log 1/K sum_k p(x, z_k) / q(z_k | x)`` (Burda et al. 2016), in nats."""
        mean, log_variance = self.encode(images)
        weights: list[PerSample] = []
        for noise in noises:
            z = mean + (0.5 * log_variance).exp() * noise.to(mean.dtype)
            likelihood = gaussian_log_density(images, self.decoder(z), self.noise())
            weights.append(likelihood + normal_log_ratio(z, mean, log_variance))
        return torch.stack(weights).logsumexp(0) - math.log(len(weights))

    def log_prob_bound(self, images: Images, rng: torch.Generator, samples: int = 1) -> PerSample:
        """A lower bound of the log density of pictures in [-1, 1], on average, in nats per picture.

        With one sample it is the evidence lower bound; with more it grows, on average, towards ``log p(x)``.

        Args:
            samples: Latents per picture.
        """
        shape = (len(images), self.config.latent_size)
        noises = (torch.randn(shape, generator=rng, device=rng.device).to(images.device) for _ in range(samples))
        if samples == 1:
            terms = self._terms(images, next(noises))
            return -(terms["reconstruction"] + terms["kl"])
        return self._importance_bound(images, noises)

    def log_prob(self, images: Images, rng: torch.Generator) -> PerSample:
        """A lower bound of ``ln p(x)`` of whole colours, by ``bound_samples`` latents, in nats per picture."""
        return self._bound().log_prob(images, rng)

    @property
    def density_details(self) -> str:
        """How the bound comes about."""
        return self._bound().density_details

    def _bound(self) -> ImportanceBound:
        return ImportanceBound(model=self, samples=self.config.bound_samples)

    def encode(self, images: Images) -> tuple[Latents, Latents]:
        """Mean and log variance of each picture's latent."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """Pictures beside what their codes' means are decoded to."""
        return [("originals", batch.images), ("reconstructions", self.decoder(self.encode(batch.images)[0]))]

    def log_variance(self) -> Scalar:
        """``log sigma^2`` of the noise around decoded pictures, in units of the colour range [-1, 1]."""
        return self.noise()

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """The mean pictures of latents, in [-1, 1]: without the noise of the likelihood."""
        return self.decoder(z)
