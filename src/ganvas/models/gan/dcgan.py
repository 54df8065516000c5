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
- ``game="minimax"`` (eq. 1 of Goodfellow et al. 2014) and more than one of ``critic_moves`` are for comparisons of
  games on one network; the paper has neither.
- Pictures to look at are made with the running statistics of batch norm, not with a batch's, so that each depends on
  its own latent alone.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.losses.adversarial import minimax_generator, non_saturating_discriminator, non_saturating_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.adversarial.dcgan_networks import DcganDiscriminator, DcganGenerator, Norm, dcgan_maps


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are the paper's."""

    resolution: int = 64  # 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 64x96.
    channels: int = 3
    latent_size: int = 100
    prior: Literal["uniform", "normal"] = "uniform"  # U[-1, 1) as in the paper, or N(0, 1) as in most later codes.
    features: int = 128  # Feature maps of the largest hidden resolution; doubled with every halving of the size ...
    features_max: int = 1024  # ... up to this.
    discriminator_norm: Norm = "batch"  # Between its hidden layers; the paper's is batch norm.
    game: Literal["non_saturating", "minimax"] = "non_saturating"
    critic_moves: int = 1  # Of the discriminator for one of the generator.
    batch_size: int = 128
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "critic_moves", "batch_size")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def maps(self) -> list[int]:
        """Feature maps from the first resolution up; the last are the picture's channels."""
        return dcgan_maps(self.picture, features=self.features, features_max=self.features_max)


TINY = Config(resolution=16, latent_size=8, features=4, batch_size=8)


class Model(LatentGame[Config, Pictures]):
    """The two networks and their game."""

    takes = (Pictures,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.prior = config.prior
        self.generator = DcganGenerator(config.picture, config.maps(), latent_size=config.latent_size)
        self.discriminator = DcganDiscriminator(config.picture, config.maps(), norm=config.discriminator_norm)
        self.augmentation: Augmentation = NoAugmentation()

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """Discriminator, then generator, each on fresh latents."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2, eps=self.config.eps)
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
                turn=every(self.config.critic_moves),
                optimizer=adam,
            ),
        ]

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        """Reals and fakes pass in two batches: in one, batch norm would tell them apart by their shares."""
        with torch.no_grad():
            fakes = self._fakes(batch)
        real = self.discriminator(self.augmentation(batch.images, batch))
        fake = self.discriminator(self.augmentation(fakes, batch))
        self.augmentation.notice(real, batch)
        return {"non_saturating": non_saturating_discriminator(real, fake)}

    def _generator_loss(self, batch: Pictures) -> Terms:
        fake = self.discriminator(self.augmentation(self._fakes(batch), batch))
        if self.config.game == "minimax":
            return {"minimax": minimax_generator(fake)}
        return {"non_saturating": non_saturating_generator(fake)}

    def _fakes(self, batch: Pictures) -> Images:
        return self.generator(self.latents_of(batch))

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds pictures in [-1, 1]; higher is more real."""
        return self.discriminator(images)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """Pictures in [-1, 1] of latents."""
        return self.generator(z)
