"""GAN: the first game of two networks, one that draws and one that tells drawn from real. Fully connected.

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio: Generative Adversarial Nets (NIPS 2014),
https://arxiv.org/abs/1406.2661. Models of images had needed a likelihood, and chains of samples to estimate it. Here a
generator is trained by backpropagation alone, through a discriminator that learns at the same time what gives it away.

In the minimax game the generator descends ``log(1 - D(G(z)))`` (eq. 1), whose gradient vanishes while the discriminator
wins; the paper therefore trains it on ``-log D(G(z))`` (section 3). ``game`` chooses.

Networks and settings are those of the authors' code for MNIST (https://github.com/goodfeli/adversarial, mnist.yaml):
rectified layers and a sigmoid that draw; maxout layers with dropout that judge; gradient descent with momentum.

Departs from the paper and its code:
- The learning rate and the momentum stay as they begin (the code lowers the one by 1.000004 per step and raises the
  other from 0.5 to 0.7). ``optimizer="adam"`` is what most users want today.
- Weights start as those of torch's layers do, uniform within ``1 / sqrt(fan_in)``, biases too; the code's within fixed
  ranges, and the last bias of its generator at the mean picture.
- Pictures are of any size and of several channels. Points are learnt around zero and without dropout on them, and a
  linear layer draws them.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Latents, PerSample, Samples
from ganvas.losses.adversarial import minimax_generator, non_saturating_discriminator, non_saturating_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import PictureOrPointGame
from ganvas.losses.optimizers import SGD, Adam
from ganvas.networks.fully_connected import FullyConnected
from ganvas.nn.layers.batch_dropout import BatchDropout
from ganvas.nn.layers.maxout import Maxout


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are those of the authors' code for MNIST."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    resolution: int = 32  # Of pictures, 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (7, 7) becomes 28x28 at resolution 16.
    channels: int = 1
    latent_size: int = 100
    prior: Literal["uniform", "normal"] = "uniform"
    game: Literal["non_saturating", "minimax"] = "non_saturating"
    width: int = 1200  # Of the generator's hidden layers.
    depth: int = 2  # Hidden layers of each network.
    units: int = 240  # Of the discriminator's hidden layers.
    pieces: int = 5  # Linear maps of which a unit takes the largest.
    dropout: float = 0.5  # Share of hidden units that the discriminator drops.
    input_dropout: float = 0.2  # Share of colours that it drops.
    critic_moves: int = 1  # Of the discriminator for one of the generator; k in algorithm 1.
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.5  # Of sgd; the first moment of adam.
    batch_size: int = 100
    lr: float = 0.1

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "width", "depth", "units", "pieces", "critic_moves", "batch_size")
        at_least(self, 0, "dims")
        above(self, 0, "lr")
        fractions(self, "dropout", "input_dropout", "momentum")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


POINTS = Config(
    dims=2,
    latent_size=2,
    prior="normal",
    width=128,
    units=128,
    pieces=2,
    dropout=0.0,
    input_dropout=0.0,
    optimizer="adam",
    lr=1e-3,
    batch_size=256,
)
TINY = Config(resolution=8, latent_size=4, width=16, units=8, pieces=2, batch_size=8)
TINY_POINTS = replace(POINTS, width=8, units=8, batch_size=8)


class FlatGenerator(nn.Module):
    """From a latent to all colours at once: rectified layers, and a sigmoid stretched to [-1, 1]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        picture = config.picture
        self.shape = (picture.channels, *picture.size)
        self.layers = FullyConnected(config.latent_size, math.prod(self.shape), width=config.width, depth=config.depth)

    def forward(self, z: Latents) -> Samples:
        return 2 * self.layers(z).sigmoid().unflatten(1, self.shape) - 1


class MaxoutDiscriminator(nn.Module):
    """From samples to logits: maxout layers (Goodfellow et al. 2013) that drop some of what they are given."""

    def __init__(self, inputs: int, config: Config) -> None:
        super().__init__()
        self.of_pictures = not config.dims
        layers: list[nn.Module] = [BatchDropout(config.input_dropout)]
        for _ in range(config.depth):
            layers += [Maxout(inputs, config.units, pieces=config.pieces), BatchDropout(config.dropout)]
            inputs = config.units
        self.layers = nn.Sequential(*layers, Maxout(inputs, 1, pieces=1))

    def forward(self, samples: Samples) -> PerSample:
        # Colours in [0, 1]: what dropout takes away becomes black.
        inputs = (samples + 1) / 2 if self.of_pictures else samples
        score = self.layers(inputs.flatten(1)).flatten()
        return score.to(torch.promote_types(score.dtype, torch.float32))


class Model(PictureOrPointGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.augmentation: Augmentation = NoAugmentation()
        self.prior = config.prior
        if config.dims:
            self.generator = FullyConnected(config.latent_size, config.dims, width=config.width, depth=config.depth)
        else:
            self.generator = FlatGenerator(config)
        self.discriminator = MaxoutDiscriminator(math.prod(self.sample_shape), config)

    def phases(self) -> list[Phase[Pictures | Points]]:
        """The discriminator k times, then the generator, each on fresh latents (algorithm 1)."""
        config = self.config
        moves = (
            Adam(beta1=config.momentum, beta2=0.999) if config.optimizer == "adam" else SGD(momentum=config.momentum)
        )
        return [
            Phase(
                name="D",
                player=self.discriminator,
                loss=self._discriminator_loss,
                after=self.augmentation.adapt,
                optimizer=moves,
            ),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=every(config.critic_moves),
                optimizer=moves,
            ),
        ]

    def _discriminator_loss(self, batch: Pictures | Points) -> Terms:
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch))
        reals, fakes = self.augmentation(self.reals(batch), batch), self.augmentation(fakes, batch)
        real, fake = self.scores(self.discriminator, reals, fakes)
        self.augmentation.notice(real, batch)
        return {"non_saturating": non_saturating_discriminator(real, fake)}

    def _generator_loss(self, batch: Pictures | Points) -> Terms:
        fake = self.discriminator(self.augmentation(self.generator(self.latents_of(batch)), batch))
        if self.config.game == "minimax":
            return {"minimax": minimax_generator(fake)}
        return {"non_saturating": non_saturating_generator(fake)}

    def judge(self, images: Samples, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds samples as the data gives them; higher is more real."""
        return self.discriminator(self.inside(images))
