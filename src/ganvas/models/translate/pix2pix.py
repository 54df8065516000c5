"""pix2pix: pictures become other pictures, learnt from pairs; what is uncertain is drawn and not averaged.

Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks (CVPR 2017),
https://arxiv.org/abs/1611.07004. A network that is punished for its distance to the one true picture blurs whatever it
cannot know. A discriminator that sees what was given beside what was made wants a picture that could be true; it judges
patches, and the distance (L1) keeps what is coarse in its place. Noise comes from dropout alone, in use as well.

Departs from the paper:
- The generator moves first, so that one translation serves both moves; in the authors' code the discriminator does.
- In use each picture is normalised alone: the authors' batch is one picture. ``norm="instance"`` does so in training
  too.
- The gain of a batch norm starts at 1, in the authors' code at N(1, 0.02).
- Pictures are cropped from ``crop_margin`` larger ones, in place of a resize to 286 and a crop of 256.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from ganvas.core.checks import at_least, fractions
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, OtherImages
from ganvas.losses.adversarial import non_saturating_discriminator, non_saturating_generator
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.translation_game import TranslationGame, TranslationSettings
from ganvas.losses.optimizers import Adam
from ganvas.losses.pixel_losses import error_map, mean_error
from ganvas.networks.translation.patchgan import instance_norm, patchgan, require_scores
from ganvas.networks.translation.pix2pix_unet import Pix2PixUNet
from ganvas.nn.layers.stream_dropout import Drop, dropping
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.picture_norm import PictureNorm2d

TO_TARGET = "to-target"


@dataclass(frozen=True, kw_only=True)
class Config(TranslationSettings):
    """Every setting of both networks and their game; the defaults are the paper's, for pictures of 256x256."""

    height: int = 256  # A multiple of 2^halvings.
    width: int = 256
    channels: int = 3  # Of the pictures (--data).
    other_channels: int = 3  # Of what they become (--target).
    halvings: int = 8  # Of the generator.
    features: int = 64  # Feature maps of the generator's first layer.
    dropped: int = 3  # Doublings of the generator with dropout, its noise; the innermost one has none.
    dropout: float = 0.5
    norm: Literal["batch", "instance"] = "batch"
    discriminator_features: int = 64
    discriminator_halvings: int = 3  # A score sees 16, 34, 70, 142 or 286 pixels with 1 to 5.
    l1_weight: float = 100.0  # lambda
    adversarial_weight: float = 1.0  # 0 leaves the distance alone: the blurred twin.
    batch_size: int = 1
    lr: float = 2e-4
    hold_kimg: float = 40.0  # Of the full learning rate: the authors' 100 passes over the 400 facades.
    decay_kimg: float = 40.0  # Over which it falls to 0 on a line.
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        at_least(self, 2, "halvings")
        self.check_shared()
        at_least(self, 0, "dropped", "l1_weight", "adversarial_weight")
        fractions(self, "dropout")
        require_scores(self.discriminator_halvings, self.picture.size)

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=2**self.halvings)


TINY = Config(
    height=8,
    width=12,
    halvings=2,
    features=3,
    dropped=0,
    discriminator_features=4,
    discriminator_halvings=1,
    batch_size=4,
    hold_kimg=0.008,
    decay_kimg=0.016,
)


class Model(TranslationGame[Config, Pictures]):
    """A generator, and a discriminator of pictures beside what they become."""

    takes = (Pictures,)
    directions: Sequence[str] = (TO_TARGET,)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.generator = Pix2PixUNet(
            config.channels,
            config.other_channels,
            halvings=config.halvings,
            features=config.features,
            dropped=config.dropped,
            norm=PictureNorm2d if config.norm == "batch" else instance_norm,
        )
        self.discriminator = patchgan(
            config.discriminator_halvings,
            channels=config.channels + config.other_channels,
            features=config.discriminator_features,
            norm=BatchNorm2d if config.norm == "batch" else instance_norm,
        )

    @property
    def tile_stride(self) -> int:
        """What halvings demand of a shift."""
        return 2**self.config.halvings

    def phases(self) -> list[Phase[Pictures]]:
        """The generator, then the discriminator on the generator's translation of this step."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        generator = Phase(name="G", player=self.generator, loss=self._generator_loss, optimizer=adam)
        discriminator = Phase(name="D", player=self.discriminator, loss=self._discriminator_loss, optimizer=adam)
        return [generator, discriminator] if self.config.adversarial_weight else [generator]

    def translate(self, images: Images, direction: str = TO_TARGET) -> OtherImages:
        """What pictures become, in [-1, 1]; dropout, its noise, draws from torch's global stream."""
        device = images.device
        return self._made(images, dropping(lambda *shape: torch.rand(len(images), *shape, device=device), self._share))

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """Pictures, what they become, and what they should become."""
        made = self._made(batch.images, dropping(batch.rand, self._share))
        truth = batch.paired
        return [("pictures", batch.images), ("made", made), ("truth", truth), ("error", error_map(made, truth))]

    @property
    def _share(self) -> float:
        return self.config.dropout if self.config.dropped else 0.0

    def _made(self, images: Images, drop: Drop) -> OtherImages:
        return self.generator(images, drop)

    def _generator_loss(self, batch: Pictures) -> Terms:
        """``-log D(x, G(x)) + lambda |y - G(x)|_1`` (eq. 4, non-saturating)."""
        config = self.config
        made = batch.keep("made", self._made(batch.images, dropping(batch.rand, self._share)))
        terms = {"l1": config.l1_weight * mean_error(made, batch.paired)}
        if config.adversarial_weight:
            verdicts = self.discriminator(torch.cat([batch.images, made], 1))
            terms["adversarial"] = config.adversarial_weight * non_saturating_generator(verdicts)
        return terms

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        """Pairs of the set against pictures beside what was made of them, at half the weight (section 3.3)."""
        made = batch.kept.get("made")
        if made is None:  # The generator has not moved in this step.
            with torch.no_grad():
                made = self._made(batch.images, dropping(batch.rand, self._share))
        real = self.discriminator(torch.cat([batch.images, batch.paired], 1))
        fake = self.discriminator(torch.cat([batch.images, made], 1))
        return {"real_or_made": 0.5 * non_saturating_discriminator(real, fake)}
