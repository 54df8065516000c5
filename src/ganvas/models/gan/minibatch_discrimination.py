"""Minibatch discrimination and feature matching: two cures for generators that draw the same thing again and again.

Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: Improved Techniques for Training GANs (NIPS 2016),
https://arxiv.org/abs/1606.03498. A discriminator that sees one sample at a time cannot tell that all generated ones are
alike, so nothing keeps a generator from one point. With ``kernels`` above 0 each sample also brings how close it is to
the others of its batch, in as many learned measures (section 3.2). With ``deviation`` it brings how much the batch
varies, the one number that progressive GANs have in their place (Karras et al. 2018, https://arxiv.org/abs/1710.10196,
section 3). With ``objective="feature_matching"`` the generator
no longer plays against the discriminator's answer: it is to draw samples whose features are on average those of the
data, ``||E f(x) - E f(G(z))||^2`` (section 3.1), which cannot be won by a single point either.

Departs from the paper and its code (https://github.com/openai/improved-gan):
- The networks are those of DCGAN, with batch norm; the code's discriminator is weight-normalised, has dropout and noise
  on its input, and knows classes.
- Latents lie in [-1, 1), in the code in [0, 1). The generator moves once for a move of the discriminator; in the code
  of CIFAR-10 three times.
- Feature matching has the square of section 3.1; the code the mean absolute difference.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Features, PerSample, Samples
from ganvas.losses.adversarial import feature_matching, non_saturating_discriminator, non_saturating_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import PictureOrPointGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.adversarial.dcgan_networks import DcganDiscriminator, dcgan_maps
from ganvas.networks.adversarial.plain_pair import plain_generator
from ganvas.networks.fully_connected import FullyConnected
from ganvas.nn.blocks.minibatch_discrimination_layer import MinibatchDiscrimination
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.nn.layers.across_ranks import all_ranks_rows
from ganvas.nn.layers.plain_layers import Linear


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    resolution: int = 32  # Of pictures, 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 32x48.
    channels: int = 3
    latent_size: int = 100
    prior: Literal["uniform", "normal"] = "uniform"
    features: int = 64  # Of pictures: feature maps of the largest hidden resolution; doubled with every halving ...
    features_max: int = 512  # ... up to this.
    width: int = 128  # Of points: of every hidden layer.
    depth: int = 2  # Of points: hidden layers of each network.
    kernels: int = 100  # Measures of closeness within a batch; 0 for none.
    kernel_dims: int = 5  # Numbers that each of them compares.
    deviation: bool = False  # Whether a discriminator is told the minibatch standard deviation of its features.
    objective: Literal["non_saturating", "feature_matching"] = "non_saturating"  # Of the generator.
    batch_size: int = 100
    lr: float = 3e-4
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "width", "depth", "kernel_dims")
        at_least(self, 2 if self.kernels or self.deviation else 1, "batch_size")
        at_least(self, 0, "dims", "kernels")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


# Ours, for points: the time of a step grows with the square of the batch, times kernels and what they compare.
POINTS = Config(dims=2, latent_size=8, prior="normal", width=64, kernels=8, kernel_dims=2, batch_size=32, lr=1e-3)
TINY = Config(resolution=16, latent_size=8, features=4, kernels=6, kernel_dims=2, batch_size=8)
TINY_POINTS = replace(POINTS, width=8, kernels=6, batch_size=8)


class BatchScore(nn.Module):
    """From features to a logit: a dense layer that also sees how close the others of a batch are, or how all vary."""

    def __init__(self, features: int, config: Config) -> None:
        super().__init__()
        self.discrimination = None
        if config.kernels:
            self.discrimination = MinibatchDiscrimination(features, kernels=config.kernels, dims=config.kernel_dims)
        self.deviation = MinibatchStdDev(None) if config.deviation else None
        inputs = features + config.kernels + config.deviation
        self.last = Linear(inputs, 1, std=1 / math.sqrt(inputs))

    def forward(self, features: Float[Tensor, "n *shape"]) -> PerSample:
        x = features.flatten(1)
        if self.discrimination is not None:
            x = self.discrimination(x)
        if self.deviation is not None:
            varied = self.deviation(features.flatten(1)[:, :, None, None])[:, -1, 0]
            x = torch.cat([x, varied], 1)
        return self.last(x).flatten()


class PointDiscriminator(nn.Module):
    """From points to logits by way of features, as the discriminator of pictures."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, depth = config.width, config.depth - 1
        self.hidden = nn.Sequential(FullyConnected(config.dims, width, width=width, depth=depth), nn.ReLU())
        self.score = BatchScore(width, config)

    def features(self, points: Float[Tensor, "n p"]) -> Features:
        """What the last hidden layer finds."""
        return self.hidden(points)

    def forward(self, points: Float[Tensor, "n p"]) -> PerSample:
        return self.score(self.features(points))


class Model(PictureOrPointGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.augmentation: Augmentation = NoAugmentation()
        self.prior = config.prior
        self.generator = plain_generator(config)
        if config.dims:
            self.discriminator = PointDiscriminator(config)
        else:
            maps = dcgan_maps(config.picture, features=config.features, features_max=config.features_max)
            score = BatchScore(maps[0] * math.prod(config.base), config)
            self.discriminator = DcganDiscriminator(config.picture, maps, score=score)

    def calibrate(self, batch: Pictures | Points) -> None:
        """Finds where points lie, and sets the scales of closeness on reals, as the authors' code does."""
        super().calibrate(batch)
        score = self.discriminator.score
        if isinstance(score, BatchScore) and score.discrimination is not None:
            with torch.no_grad():
                score.discrimination.calibrate(self._features(self.reals(batch)))

    def phases(self) -> list[Phase[Pictures | Points]]:
        """Discriminator, then generator, each on fresh latents."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        return [
            Phase(
                name="D",
                player=self.discriminator,
                loss=self._discriminator_loss,
                after=self.augmentation.adapt,
                optimizer=adam,
            ),
            Phase(name="G", player=self.generator, loss=self._generator_loss, optimizer=adam),
        ]

    def _discriminator_loss(self, batch: Pictures | Points) -> Terms:
        """Reals and fakes pass apart: closeness is that within a batch of either kind."""
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch))
        real = self.discriminator(self.augmentation(self.reals(batch), batch))
        fake = self.discriminator(self.augmentation(fakes, batch))
        self.augmentation.notice(real, batch)
        return {"non_saturating": non_saturating_discriminator(real, fake)}

    def _generator_loss(self, batch: Pictures | Points) -> Terms:
        fakes = self.augmentation(self.generator(self.latents_of(batch)), batch)
        if self.config.objective == "non_saturating":
            return {"non_saturating": non_saturating_generator(self.discriminator(fakes))}
        with torch.no_grad():
            real = all_ranks_rows(self._features(self.augmentation(self.reals(batch), batch)))
        return {"feature_matching": feature_matching(real, all_ranks_rows(self._features(fakes)))}

    def _features(self, samples: Samples) -> Features:
        return self.discriminator.features(samples).flatten(1)

    def judge(self, images: Samples, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds samples, seen in batches as large as those it knows; higher is more real.

        Closeness is a sum over a batch, so in a larger one everything looks too close. Batches are dealt in turn.
        """
        samples, batches = self.inside(images), -(-len(images) // self.config.batch_size)
        dealt = torch.cat([torch.arange(len(images))[first::batches] for first in range(batches)])
        scores = torch.cat([self.discriminator(samples[first::batches]) for first in range(batches)])
        return scores[dealt.argsort().to(scores.device)]
