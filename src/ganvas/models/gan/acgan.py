"""ACGAN: the generator is told a class, and the discriminator must name it besides telling real from generated.

Odena, Olah, Shlens: Conditional Image Synthesis with Auxiliary Classifier GANs (ICML 2017),
https://arxiv.org/abs/1610.09585. Drawing one class at a time is easier than drawing all at once, and a second task
gives the discriminator more to say. Both players raise the log-likelihood of the class, ``L_C``, of reals and of fakes;
they fight over that of the source, ``L_S`` (eqs. 2 and 3). So the generator draws what is easily told apart: where
classes overlap, it draws less variety than there is.

The networks are the paper's for CIFAR-10 (appendix A): transposed convolutions from 384 maps, and a discriminator of
3 x 3 convolutions, of which every other one halves the picture, with dropout after each.

Departs from the paper:
- Kernels of the generator are 4x4, not 5x5, which leave a checkerboard; its first layer is dense to the first
  resolution with its batch norm.
- The generator's game is the non-saturating one.
- Fakes have the classes of the real batch, not classes drawn evenly.
- No noise is added to activations of the discriminator.
- Pictures need not be square nor 32x32: ``base`` is the size of the first resolution, doubled as often as needed, and
  the discriminator halves as often. Without classes (``num_classes=0``) it is a GAN of these networks.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.losses.adversarial import (
    class_cross_entropy,
    non_saturating_discriminator,
    non_saturating_generator,
)
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.adversarial.dcgan_networks import DcganGenerator, dcgan_maps
from ganvas.nn.layers.batch_dropout import BatchDropout
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.batch_norm import BatchNorm2d

STD = 0.02  # Of every starting weight.
SLOPE = 0.2  # Of the discriminator's leaky ReLU.

ClassLogits = Float[Tensor, "n classes"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; widths and rates are the paper's for CIFAR-10."""

    resolution: int = 32  # 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 32x48.
    channels: int = 3
    num_classes: int = 0  # Taken from the data with --conditional.
    latent_size: int = 100  # Besides the class, one number for each.
    features: int = 96  # Of the generator's largest hidden resolution; doubled with every halving ...
    features_max: int = 384  # ... up to this.
    discriminator_features: int = 16  # Of its first convolution; doubled with every one ...
    discriminator_features_max: int = 512  # ... up to this.
    dropout: float = 0.5  # Of the discriminator's activations.
    class_weight: float = 1.0  # Of the log-likelihood of the class, for both players.
    batch_size: int = 100
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "batch_size")
        at_least(self, 1, "discriminator_features", "discriminator_features_max")
        at_least(self, 0, "num_classes", "class_weight")
        above(self, 0, "lr", "eps")
        fractions(self, "dropout", "beta1", "beta2")
        assert self.picture  # Its making checks the size.

    @property
    def needs_classes(self) -> bool:
        """Always: a run without them would be another game."""
        return True

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def maps(self) -> list[int]:
        """Feature maps of the generator from the first resolution up; the last are the picture's channels."""
        return dcgan_maps(self.picture, features=self.features, features_max=self.features_max)

    def discriminator_maps(self) -> list[int]:
        """Channels of the picture, and feature maps after each convolution: two of them for every halving."""
        convolutions = range(2 * self.picture.levels)
        most = self.discriminator_features_max
        return [self.channels, *(min(self.discriminator_features << number, most) for number in convolutions)]


TINY = Config(
    resolution=16, latent_size=8, features=4, features_max=8, discriminator_features=4, dropout=0.2, batch_size=8
)


class ClassDiscriminator(nn.Module):
    """From a picture to the logit of its being real, and to the logits of its class."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        maps = config.discriminator_maps()
        height, width = config.base
        self.convolutions = nn.ModuleList(
            Conv2d(before, after, 3, stride=1 + (number % 2 == 0), padding=1, bias=False, std=STD)
            for number, (before, after) in enumerate(pairwise(maps))
        )
        # None on the picture: the discriminator is to see the colours as they are.
        norms = [nn.Identity(), *(BatchNorm2d(channels) for channels in maps[2:])]
        self.norms = nn.ModuleList(norms[: len(self.convolutions)])
        self.dropout = BatchDropout(config.dropout)
        self.heads = Linear(maps[-1] * height * width, 1 + config.num_classes, std=STD)

    def forward(self, images: Images) -> tuple[PerSample, ClassLogits]:
        x = images
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.dropout(F.leaky_relu(norm(convolution(x)), SLOPE))
        heads = self.heads(x.flatten(1))
        heads = heads.to(torch.promote_types(heads.dtype, torch.float32))
        return heads[:, 0], heads[:, 1:]


class Model(LatentGame[Config, Pictures]):
    """The two networks and their game."""

    takes = (Pictures,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        inputs = config.latent_size + config.num_classes
        self.generator = DcganGenerator(config.picture, config.maps(), latent_size=inputs)
        self.discriminator = ClassDiscriminator(config)
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
            Phase(name="G", player=self.generator, loss=self._generator_loss, optimizer=adam),
        ]

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        """``-(L_S + L_C)``. Reals and fakes pass in two batches, for the batch norm."""
        with torch.no_grad():
            fakes = self._fakes(batch)
        real, real_classes = self.discriminator(self.augmentation(batch.images, batch))
        fake, fake_classes = self.discriminator(self.augmentation(fakes, batch))
        self.augmentation.notice(real, batch)
        terms = {"non_saturating": non_saturating_discriminator(real, fake)}
        if self.config.num_classes:
            terms["real_class"] = self.config.class_weight * class_cross_entropy(real_classes, batch.classes)
            terms["fake_class"] = self.config.class_weight * class_cross_entropy(fake_classes, batch.classes)
        return terms

    def _generator_loss(self, batch: Pictures) -> Terms:
        """``L_S - L_C`` of fakes, the first in its non-saturating form."""
        fake, fake_classes = self.discriminator(self.augmentation(self._fakes(batch), batch))
        terms = {"non_saturating": non_saturating_generator(fake)}
        if self.config.num_classes:
            terms["fake_class"] = self.config.class_weight * class_cross_entropy(fake_classes, batch.classes)
        return terms

    def _fakes(self, batch: Pictures) -> Images:
        return self.decode(self.latents_of(batch), batch.labels)

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds pictures in [-1, 1]; higher is more real."""
        return self.discriminator(images)[0]

    def classify(self, images: Images) -> ClassLogits:
        """The discriminator's logits of the class of pictures in [-1, 1]."""
        return self.discriminator(images)[1]

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """Pictures in [-1, 1] of latents, of given classes where there are any."""
        if self.config.num_classes:
            assert labels is not None, "a conditional generator is asked for pictures of given classes"
            z = torch.cat([z, F.one_hot(labels, self.config.num_classes).to(z.dtype)], dim=1)
        return self.generator(z)
