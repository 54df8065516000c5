"""SAGAN: convolutions see their neighbourhood alone; attention lets every place of a picture look at all others.

Zhang, Goodfellow, Metaxas, Odena: Self-Attention Generative Adversarial Networks (ICML 2019),
https://arxiv.org/abs/1805.08318. Generators of many classes learnt textures well and shapes badly: a dog's fur, but not
its legs. One self-attention in each network relates distant parts (section 3). Two more things made it train with one
move of each player per step (section 4): spectral normalisation in the generator too, and two learning rates, the
discriminator's four times the generator's (after Heusel et al. 2017, https://arxiv.org/abs/1706.08500). Classes come in
by conditional batch norm and by projection, as in SNGAN; the losses are hinges (eq. 4).

What the paper leaves open follows its code (https://github.com/brain-research/self-attention-gan): blocks whose first
convolution widens, and keys and values at the maxima of 2 x 2 places.

Departs from the code:
- Reals and fakes pass through the discriminator in one batch; its singular vectors move once per step.
- Fakes have the classes of the real batch, not classes drawn evenly.
- Running statistics of batch norm move by a tenth per pass; in the code by a thousandth, of the last one by a ten
  thousandth.
- Weights start normally distributed, in fused doublings and halvings with He's constant.
- Pictures need not be square nor 128x128: ``base`` is the size of the first resolution, doubled as often as needed.
"""

from dataclasses import dataclass

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.sample_sizes.sizes import doublings
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.losses.adversarial import hinge_discriminator, hinge_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.adversarial.resnet_gan import ResNetDiscriminator, ResNetGenerator
from ganvas.nn.norms.spectral_norm import SpectralNorm


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are the paper's, without classes."""

    resolution: int = 128  # 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 128x192.
    channels: int = 3
    num_classes: int = 0  # Above 0: conditional batch norm in the generator, a projection in the discriminator.
    latent_size: int = 128
    features: int = 64  # Feature maps of both networks at the full resolution; doubled with every halving ...
    features_max: int = 1024  # ... up to this.
    attention_resolution: int = 32  # Nominal one at which both attend; half of a picture's where that is less; 0: none.
    attention_start: float = 0.0  # What the weight of attention starts at: 0 is a network without.
    batch_size: int = 256
    lr: float = 1e-4  # Of the generator.
    discriminator_lr_factor: float = 4.0  # The discriminator's learning rate is so many times the generator's.
    beta1: float = 0.0
    beta2: float = 0.9
    eps: float = 1e-8
    average_decay: float = 0.0  # Of the generator's weights, per move of the generator; 0 keeps no average.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "batch_size")
        at_least(self, 0, "num_classes", "attention_resolution")
        above(self, 0, "lr", "discriminator_lr_factor", "eps")
        fractions(self, "beta1", "beta2", "average_decay")
        assert self.picture  # Its making checks the size.
        if self.attention_resolution:
            doublings(self.attention_resolution)  # Refuses what no doubling reaches.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def maps(self) -> list[int]:
        """Feature maps from the first resolution up."""
        halvings = range(self.picture.levels, -1, -1)
        return [min(self.features << times, self.features_max) for times in halvings]

    def discriminator_maps(self) -> list[int]:
        """Feature maps after each block: those that halve, and one that does not."""
        blocks = range(self.picture.levels + 1)
        return [min(self.features << block, self.features_max) for block in blocks]

    def attention_level(self) -> int | None:
        """After how many doublings of the first resolution there is attention; None where there is none."""
        if not self.attention_resolution or not self.picture.levels:
            return None
        return min(doublings(self.attention_resolution), self.picture.levels - 1)


TINY = Config(resolution=16, latent_size=8, features=8, features_max=16, attention_start=0.1, batch_size=8, lr=1e-3)


class Model(LatentGame[Config, Pictures]):
    """The two networks and their game."""

    takes = (Pictures,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.augmentation: Augmentation = NoAugmentation()
        level = config.attention_level()
        self.generator = ResNetGenerator(
            latent_size=config.latent_size,
            base=config.base,
            maps=config.maps(),
            channels=config.channels,
            num_classes=config.num_classes,
            wrap=SpectralNorm,
            attention=level,
            attention_start=config.attention_start,
        )
        self.discriminator = ResNetDiscriminator(
            channels=config.channels,
            maps=config.discriminator_maps(),
            halvings=config.picture.levels,
            num_classes=config.num_classes,
            widen_first=True,
            attention=None if level is None else config.picture.levels - level,
            attention_start=config.attention_start,
        )

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """Discriminator, then generator, once each, at two learning rates."""
        config = self.config
        slow = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        fast = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps, lr_factor=config.discriminator_lr_factor)
        return [
            Phase(
                name="D",
                player=self.discriminator,
                loss=self._discriminator_loss,
                optimizer=fast,
                after=self.augmentation.adapt,
            ),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                optimizer=slow,
                average=config.average_decay or None,
            ),
        ]

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        labels = self._labels(batch)
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch), labels)
        twice = None if labels is None else torch.cat([labels, labels])
        shown = self.augmentation(torch.cat([batch.images, fakes]), batch)
        real, fake = self.discriminator(shown, twice).chunk(2)
        self.augmentation.notice(real, batch)
        return {"hinge": hinge_discriminator(real, fake)}

    def _generator_loss(self, batch: Pictures) -> Terms:
        labels = self._labels(batch)
        fakes = self.augmentation(self.generator(self.latents_of(batch), labels), batch)
        return {"hinge": hinge_generator(self.discriminator(fakes, labels))}

    def _labels(self, batch: Pictures) -> Labels | None:
        return batch.classes if self.config.num_classes else None

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds pictures in [-1, 1], of whatever class; higher is more real."""
        return self.discriminator(images)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """Pictures in [-1, 1] of latents."""
        return self.generator(z, labels)
