"""LSGAN: a discriminator that answers with numbers, pulled to targets by their squared distance.

Mao, Li, Xie, Lau, Wang, Smolley: Least Squares Generative Adversarial Networks (ICCV 2017),
https://arxiv.org/abs/1611.04076. Cross-entropy has no gradient for fakes that lie far on the right side of the
boundary, however far they are from the data. A square pulls those back too. The discriminator is drawn to ``a`` for
fakes and to ``b`` for reals, the generator draws it to ``c`` (eq. 2). Where ``b - c = 1`` and ``b - a = 2``, as for
-1, 1, 0, the generator minimises the Pearson chi-squared divergence between ``p_data + p_g`` and ``2 p_g`` (section
3.2). The defaults are the plain targets 0, 1, 1 of section 3.3 and of the authors' code.

Departs from the paper:
- The networks are those of DCGAN; the paper's generator has two convolutions for a doubling, and its own code
  (https://github.com/xudonmao/LSGAN) draws 112x112 from latents of 1024 numbers.
- The learning rate is that of its code for 28x28 characters, 2e-4, which is DCGAN's; it has 1e-3 for scenes.
- ``squashed`` puts a sigmoid in front of the squares, as compare_gan's code does (Lucic et al. 2018,
  https://github.com/google/compare_gan, tag v1); the paper's scores are plain numbers.
- Points, which the paper learns in a figure, are brought to a size of their own first; networks have ReLU there.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage
from ganvas.core.shapes import PerSample, Samples
from ganvas.losses.adversarial import least_squares_discriminator, least_squares_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import PictureOrPointGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.adversarial.dcgan_networks import Norm
from ganvas.networks.adversarial.plain_pair import plain_discriminator, plain_generator


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    resolution: int = 64  # Of pictures, 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 64x96.
    channels: int = 3
    latent_size: int = 100
    prior: Literal["uniform", "normal"] = "uniform"
    features: int = 64  # Of pictures: feature maps of the largest hidden resolution; doubled with every halving ...
    features_max: int = 512  # ... up to this.
    discriminator_norm: Norm = "batch"  # Of pictures, between its hidden layers.
    critic_moves: int = 1  # Of the discriminator for one of the generator; the paper's is 1.
    squashed: bool = False  # Verdicts pass a sigmoid before they are squared, as in the code of a comparison of GANs.
    width: int = 128  # Of points: of every hidden layer.
    depth: int = 3  # Of points: hidden layers of each network.
    a: float = 0.0  # Where the discriminator is to put fakes.
    b: float = 1.0  # Where it is to put reals.
    c: float = 1.0  # Where the generator wants it to put fakes.
    batch_size: int = 64
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "width", "depth", "critic_moves", "batch_size")
        at_least(self, 0, "dims")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2")
        if self.a == self.b:
            raise UserError(
                f"a={self.a:g} and b={self.b:g} are one target for fakes and reals. Give two, such as 0 and 1."
            )
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


POINTS = Config(dims=2, latent_size=2, prior="normal", batch_size=256, lr=1e-3)
TINY = Config(resolution=16, latent_size=8, features=4, batch_size=8)
TINY_POINTS = replace(POINTS, width=8, depth=2, batch_size=8)


class Model(PictureOrPointGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.augmentation: Augmentation = NoAugmentation()
        self.prior = config.prior
        self.generator = plain_generator(config)
        self.discriminator = plain_discriminator(config, norm=config.discriminator_norm)

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
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=every(self.config.critic_moves),
                optimizer=adam,
            ),
        ]

    def _discriminator_loss(self, batch: Pictures | Points) -> Terms:
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch))
        reals, fakes = self.augmentation(self.reals(batch), batch), self.augmentation(fakes, batch)
        real, fake = map(self._answer, self.scores(self.discriminator, reals, fakes))
        self.augmentation.notice(self._verdict(real) - 0.5, batch)
        return {"least_squares": least_squares_discriminator(real, fake, a=self.config.a, b=self.config.b)}

    def _generator_loss(self, batch: Pictures | Points) -> Terms:
        fakes = self.augmentation(self.generator(self.latents_of(batch)), batch)
        fake = self._answer(self.discriminator(fakes).flatten())
        return {"least_squares": 0.5 * least_squares_generator(fake, c=self.config.c)}

    def judge(self, images: Samples, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds samples as the data gives them: 0 where fakes are to be put, 1 for reals."""
        return self._verdict(self._answer(self.discriminator(self.inside(images)).flatten()))

    def _answer(self, score: PerSample) -> PerSample:
        """What is squared: the score itself, or its sigmoid."""
        return score.sigmoid() if self.config.squashed else score

    def _verdict(self, score: PerSample) -> PerSample:
        """0 at the target of fakes and 1 at that of reals."""
        return (score - self.config.a) / (self.config.b - self.config.a)
