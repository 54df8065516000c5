"""WGAN-GP: a Wasserstein critic kept Lipschitz by a penalty on its slope, in place of a clip on its weights.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs (NIPS 2017),
https://arxiv.org/abs/1704.00028. Clipping drives every weight to one of its two bounds, and gradients vanish or explode
from layer to layer. The best critic has a gradient of norm 1 almost everywhere between the two laws (proposition 1), so
the norm at random points between a real and a generated sample is pulled to 1 (eq. 3). No layer of the critic may mix
samples, or the penalty on one would be a penalty on all: layer norm or none, never batch norm (section 4).

``network="dcgan"`` is the pair of DCGAN; ``"resnet"`` is the residual pair of the authors' code for CIFAR-10
(https://github.com/igul222/improved_wgan_training, gan_cifar_resnet.py, without its classes), whose critic has no norm.

Departs from the paper:
- Kernels of the DCGAN pair are 4x4; in the code 5x5.
- Layer norm has one gain for a layer and a shift per feature map.
- The critic's last layer has no bias, which nothing would move.
- Real pictures are not dequantised (the code of the residual pair adds U[0, 1/128) to them).
- Points are brought to a size of their own first, with an average variance per dimension of 1/2. What samples may be a
  running average of the generator's weights (``average_decay``).
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady, held_then_linear
from ganvas.core.shapes import PerSample, Samples
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation, several_augmented
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import PictureOrPointGame
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import gradient_penalty
from ganvas.networks.adversarial.dcgan_networks import Norm
from ganvas.networks.adversarial.plain_pair import plain_discriminator, plain_generator
from ganvas.networks.adversarial.resnet_gan import ResNetDiscriminator, ResNetGenerator, unchanged


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the moves are those of the paper's algorithm 1."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    resolution: int = 64  # Of pictures, 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 64x96.
    channels: int = 3
    latent_size: int = 128
    network: Literal["dcgan", "resnet"] = "dcgan"  # Of pictures.
    critic_norm: Norm = "layer"  # Of the DCGAN pair; under batch norm the penalty is no longer of one sample.
    features: int = 64  # Of pictures: feature maps of the largest hidden resolution; doubled with every halving ...
    features_max: int = 512  # ... up to this.
    width: int = 128  # Of points: of every hidden layer.
    depth: int = 3  # Of points: hidden layers of each network.
    penalty_weight: float = 10.0  # lambda in the paper; 0 for none.
    critic_moves: int = 5  # Of the critic for one of the generator; n_critic in the paper.
    batch_size: int = 64
    generator_batches: int = 1  # The generator moves on so many times the batch.
    lr: float = 1e-4
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line, from the start; 0 keeps it.
    beta1: float = 0.0
    beta2: float = 0.9
    average_decay: float = 0.0  # Of the generator's weights, per move of the generator; 0 for none.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "width", "depth", "critic_moves", "batch_size")
        at_least(self, 1, "generator_batches")
        at_least(self, 0, "dims", "penalty_weight", "decay_kimg")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2", "average_decay")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


# For points, with the penalty of the code's gan_toy.py, which makes "things faster for toy tasks"; the rest is ours.
POINTS = Config(dims=2, latent_size=2, penalty_weight=0.1, batch_size=128, lr=2e-3, beta1=0.5, average_decay=0.99)
TINY = Config(resolution=16, latent_size=8, features=4, critic_moves=2, batch_size=8)
TINY_POINTS = replace(POINTS, width=8, depth=2, critic_moves=2, batch_size=8)


class Model(PictureOrPointGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.augmentation: Augmentation = NoAugmentation()
        self.generator, self.critic = _networks(config)

    def schedule(self) -> Steady:
        """One batch size; a learning rate that may fall on a line from the start."""
        config = self.config
        return held_then_linear(
            resolution=self.resolution,
            batch_size=config.batch_size,
            lr=config.lr,
            decay_kimg=config.decay_kimg,
        )

    def phases(self) -> list[Phase[Pictures | Points]]:
        """The critic at every step, the generator at every ``critic_moves``-th (algorithm 1)."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        return [
            Phase(name="D", player=self.critic, loss=self._critic_loss, after=self.augmentation.adapt, optimizer=adam),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=every(config.critic_moves),
                optimizer=adam,
                average=config.average_decay or None,
            ),
        ]

    def _critic_loss(self, batch: Pictures | Points) -> Terms:
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch))
        reals, fakes = self.augmentation(self.reals(batch), batch), self.augmentation(fakes, batch)
        real, fake = self.scores(self.critic, reals, fakes)
        self.augmentation.notice(real - fake, batch)  # The level of a critic means nothing.
        terms = {"wasserstein": wasserstein_discriminator(real, fake)}
        if self.config.penalty_weight:
            terms["gradient_penalty"] = gradient_penalty(
                lambda samples: self.critic(samples).flatten(),
                reals,
                fakes,
                batch.rand(),
                weight=self.config.penalty_weight,
            )
        return terms

    def _generator_loss(self, batch: Pictures | Points) -> Terms:
        """On several latents per real sample; one value for each real one is their mean."""
        times = self.config.generator_batches
        z = batch.randn(times, self.config.latent_size).flatten(0, 1)
        fake = self.critic(several_augmented(self.augmentation, self.generator(z), batch)).flatten()
        return {"wasserstein": wasserstein_generator(fake).unflatten(0, (batch.size, times)).mean(1)}

    def judge(self, images: Samples, *, stage: Stage | None = None) -> PerSample:
        """How real the critic finds samples as the data gives them; higher is more real."""
        return self.critic(self.inside(images)).flatten()


def _networks(config: Config) -> tuple[nn.Module, nn.Module]:
    """Generator and critic."""
    if config.network == "dcgan" or config.dims:
        return plain_generator(config), plain_discriminator(config, norm=config.critic_norm, score_bias=False)
    levels = config.picture.levels
    halvings = max(levels - 1, 0)  # 32x32 to 8x8; two blocks more do not halve.
    maps = [min(config.features << times, config.features_max) for times in range(levels + 2)]
    generator = ResNetGenerator(
        latent_size=config.latent_size, base=config.base, maps=maps[levels::-1], channels=config.channels
    )
    critic = ResNetDiscriminator(
        channels=config.channels,
        maps=maps[: halvings + 2],
        halvings=halvings,
        score_bias=False,
        pool="mean",
        wrap=unchanged,
    )
    return generator, critic
