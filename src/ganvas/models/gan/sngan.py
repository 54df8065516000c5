"""SNGAN: a discriminator whose every layer is normalised by its largest singular value, and a projection of the class.

Miyato, Kataoka, Koyama, Yoshida: Spectral Normalization for Generative Adversarial Networks (ICLR 2018),
https://arxiv.org/abs/1802.05957. A discriminator that may be arbitrarily steep gives the generator gradients that
explode or vanish. Dividing each weight by its spectral norm makes every layer 1-Lipschitz, whatever the data, at
hardly any cost and without a penalty to balance. The networks are residual (table 4), the losses hinges (eqs. 16, 17).

Miyato, Koyama: cGANs with Projection Discriminator (ICLR 2018), https://arxiv.org/abs/1802.05637. With classes
(``num_classes``) the generator has conditional batch norm, and the discriminator adds the product of its features with
a vector of the class to its score (eq. 3), which is the form that the ratio of two class-conditional densities takes.

Widths, batches and schedules are those of the authors' code (https://github.com/pfnet-research/sngan_projection).

Departs from the code:
- Reals and fakes pass through the discriminator in one batch, so that the singular vectors move once per step, not
  twice; before the first step they have moved 15 times.
- The generator moves after the discriminator's moves, not before them.
- Reals are as the data has them; the code adds noise of one colour level to them.
- Fakes have the classes of the real batch, not classes drawn evenly: where classes have unequal shares, the class
  alone then tells nothing.
- Weights start normally distributed with the variance of the code's uniform ones, in layers that keep the number of
  maps; a fused doubling or halving that changes it has He's constant.
- The epsilon of batch norms is 1e-5, not 2e-5.
- Points are learnt by fully connected networks, with a steeper score (``score_scale``): layers of norm 1 with
  rectifiers between them pass on much less than they may.
- Pictures need not be square: ``base`` is the size of the first resolution, doubled as often as needed. At 256x256 the
  code repeats a width between two doublings; here widths double until they reach their largest.
"""

from dataclasses import dataclass, replace

import torch
from torch import nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady, held_then_linear
from ganvas.core.shapes import Labels, Latents, PerSample, Samples
from ganvas.losses.adversarial import hinge_discriminator, hinge_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation, several_augmented
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import PictureOrPointGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.adversarial.resnet_gan import ResNetDiscriminator, ResNetGenerator
from ganvas.networks.fully_connected import FullyConnected
from ganvas.nn.norms.spectral_norm import SpectralNorm


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are the code's for CIFAR-10, without classes."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    resolution: int = 32  # Of pictures, 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 32x48.
    channels: int = 3
    num_classes: int = 0  # Above 0: conditional batch norm in the generator, a projection in the discriminator.
    latent_size: int = 128
    generator_features: int = 256  # Feature maps at the full resolution; doubled with every halving of the size ...
    generator_features_max: int = 256  # ... up to this.
    discriminator_features: int = 128  # Feature maps of the first block; doubled with every block ...
    discriminator_features_max: int = 128  # ... up to this.
    halvings: int = 2  # Blocks of the discriminator that halve the picture; at most as many as there are doublings.
    plain_blocks: int = 2  # Blocks after those, which do not.
    score_bias: bool = False  # Of the discriminator's last layer.
    score_scale: float = 1.0  # Times the last layer's number: the score is at most so steep.
    width: int = 128  # Of points: of every hidden layer.
    depth: int = 3  # Of points: hidden layers of each network.
    batch_size: int = 64
    generator_batches: int = 2  # The generator moves on so many times the batch.
    critic_moves: int = 5  # Of the discriminator for one of the generator; n_dis in the paper.
    lr: float = 2e-4
    hold_kimg: float = 0.0  # At the full learning rate, before it falls.
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line; 0 keeps it.
    beta1: float = 0.0
    beta2: float = 0.9
    eps: float = 1e-8
    average_decay: float = 0.0  # Of the generator's weights, per move of the generator; 0 keeps no average.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "generator_features", "generator_features_max")
        at_least(self, 1, "discriminator_features", "discriminator_features_max", "plain_blocks")
        at_least(self, 1, "batch_size", "generator_batches", "critic_moves")
        at_least(self, 1, "width", "depth")
        at_least(self, 0, "dims", "num_classes", "halvings", "hold_kimg", "decay_kimg")
        above(self, 0, "lr", "eps", "score_scale")
        fractions(self, "beta1", "beta2", "average_decay")
        if self.dims and self.num_classes:
            raise UserError(
                f"num_classes={self.num_classes} is of pictures, and points of {self.dims} numbers are drawn without "
                "classes. Leave it out."
            )
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def generator_maps(self) -> list[int]:
        """Feature maps from the first resolution up."""
        halvings = range(self.picture.levels, -1, -1)
        return [min(self.generator_features << times, self.generator_features_max) for times in halvings]

    def discriminator_halvings(self) -> int:
        """How often the discriminator halves a picture."""
        return min(self.halvings, self.picture.levels)

    def discriminator_maps(self) -> list[int]:
        """Feature maps after each block."""
        blocks = range(self.discriminator_halvings() + self.plain_blocks)
        return [min(self.discriminator_features << block, self.discriminator_features_max) for block in blocks]

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a learning rate that falls from the start and is 0 when the run ends."""
        return replace(self, hold_kimg=0.0, decay_kimg=total_kimg)


# Ours, for points: a steep score and a high rate, such that 25 modes are found in minutes.
POINTS = Config(dims=2, latent_size=2, score_scale=30.0, batch_size=128, generator_batches=1, critic_moves=2, lr=3e-3)
TINY = Config(
    resolution=8,
    latent_size=8,
    generator_features=4,
    generator_features_max=8,
    discriminator_features=4,
    discriminator_features_max=8,
    plain_blocks=1,
    batch_size=8,
    critic_moves=2,
    width=8,
    depth=2,
)
TINY_POINTS = replace(POINTS, width=8, depth=2, batch_size=8, score_scale=100.0)


class Model(PictureOrPointGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.augmentation: Augmentation = NoAugmentation()
        if config.dims:
            width, depth = config.width, config.depth
            self.generator = FullyConnected(config.latent_size, config.dims, width=width, depth=depth)
            self.discriminator = normalised(FullyConnected(config.dims, 1, width=width, depth=depth))
        else:
            self.generator = ResNetGenerator(
                latent_size=config.latent_size,
                base=config.base,
                maps=config.generator_maps(),
                channels=config.channels,
                num_classes=config.num_classes,
            )
            self.discriminator = ResNetDiscriminator(
                channels=config.channels,
                maps=config.discriminator_maps(),
                halvings=config.discriminator_halvings(),
                num_classes=config.num_classes,
                score_bias=config.score_bias,
            )

    def schedule(self) -> Steady:
        """One batch size; a learning rate that may be held and then falls."""
        config = self.config
        return held_then_linear(
            resolution=self.resolution,
            batch_size=config.batch_size,
            lr=config.lr,
            hold_kimg=config.hold_kimg,
            decay_kimg=config.decay_kimg,
        )

    def phases(self) -> list[Phase[Pictures | Points]]:
        """The discriminator at every step, the generator when the discriminator has had its moves."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        return [
            Phase(
                name="D",
                player=self.discriminator,
                loss=self._discriminator_loss,
                optimizer=adam,
                after=self.augmentation.adapt,
            ),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=every(config.critic_moves),
                optimizer=adam,
                average=config.average_decay or None,
            ),
        ]

    def _discriminator_loss(self, batch: Pictures | Points) -> Terms:
        labels = self._labels(batch)
        with torch.no_grad():
            fakes = self._generated(self.latents_of(batch), labels)
        twice = None if labels is None else torch.cat([labels, labels])
        shown = self.augmentation(torch.cat([self.reals(batch), fakes]), batch)
        real, fake = self._score(shown, twice).chunk(2)
        self.augmentation.notice(real, batch)
        return {"hinge": hinge_discriminator(real, fake)}

    def _generator_loss(self, batch: Pictures | Points) -> Terms:
        """On several latents per real sample; one value for each real one is their mean."""
        times, labels = self.config.generator_batches, self._labels(batch)
        z = batch.randn(times, self.config.latent_size).flatten(0, 1)
        labels = None if labels is None else labels.repeat_interleave(times)
        fake = self._score(several_augmented(self.augmentation, self._generated(z, labels), batch), labels)
        return {"hinge": hinge_generator(fake).unflatten(0, (batch.size, times)).mean(1)}

    def _labels(self, batch: Pictures | Points) -> Labels | None:
        return batch.classes if isinstance(batch, Pictures) and self.config.num_classes else None

    def _generated(self, z: Latents, labels: Labels | None) -> Samples:
        """Samples of latents as the discriminator sees them."""
        return self.generator(z) if labels is None else self.generator(z, labels)

    def _score(self, samples: Samples, labels: Labels | None = None) -> PerSample:
        score = self.discriminator(samples) if labels is None else self.discriminator(samples, labels)
        return self.config.score_scale * score.flatten()

    def judge(self, images: Samples, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds samples as the data gives them, of whatever class; higher is more real."""
        return self._score(self.inside(images))

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Samples:
        """Samples of latents: pictures in [-1, 1], points in the data's own units."""
        return self.outside(self._generated(z, labels))


def normalised(network: FullyConnected) -> nn.Sequential:
    """The network with every linear layer spectrally normalised."""
    return nn.Sequential(*(SpectralNorm(part) if isinstance(part, nn.Linear) else part for part in network))
