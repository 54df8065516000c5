"""MUNIT: many translations for every picture, both ways and without pairs, by exchanging styles.

Huang, Liu, Belongie, Kautz: Multimodal Unsupervised Image-to-Image Translation (ECCV 2018),
https://arxiv.org/abs/1804.04732. Each kind of pictures is taken apart into a content, which both kinds share, and a
style, which is drawn from N(0, I). To translate is to keep the content and to draw a style of the other kind: another
style is another translation. What is put together must come apart into the same content and the same style, so that
neither is ignored.

Departs from the authors' code:
- The discriminators see what the generators made in this step before they moved; the code draws other styles for them,
  and moves them first.
- Layer norm as :mod:`ganvas.networks.translation.content_style` says; the perceptual loss, whose weight is 0 in every
  published setting, is not here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganvas.core.checks import at_least
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, OtherImages, PerSample
from ganvas.losses.adversarial import least_squares_discriminator, least_squares_generator
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.translation_game import Fall, TranslationGame, TranslationSettings
from ganvas.losses.optimizers import Adam
from ganvas.losses.pixel_losses import mean_error
from ganvas.networks.translation.content_style import ContentStyle, SizesDiscriminator, Style

A_TO_B, B_TO_A = "a-to-b", "b-to-a"


@dataclass(frozen=True, kw_only=True)
class Config(TranslationSettings):
    """Every setting of the networks and their game; the defaults are the authors', for pictures of 256x256."""

    fall: ClassVar[Fall] = Fall(rate="halved", held=0.0, falling=0.1)  # The code halves ten times in a whole run.

    height: int = 256
    width: int = 256
    channels: int = 3  # Of the first kind of pictures (--data).
    other_channels: int = 3  # Of the second kind (--other).
    features: int = 64  # Feature maps at full size.
    halvings: int = 2  # From a picture to its content.
    style_halvings: int = 4  # From a picture to its style.
    blocks: int = 4  # Residual blocks of the content encoder, and of the decoder.
    style_size: int = 8
    hidden: int = 256  # Width of the network that makes scales and shifts of a style.
    discriminator_features: int = 64
    discriminator_layers: int = 4  # Each halves the picture.
    discriminator_sizes: int = 3  # The picture, half of it, a quarter of it.
    image_weight: float = 10.0  # Of a picture that is taken apart and put together.
    style_weight: float = 1.0  # Of a drawn style that is found again.
    content_weight: float = 1.0  # Of a content that is found again.
    cycle_weight: float = 0.0  # Of a picture that comes back with its own style; 10 for summer and winter.
    adversarial_weight: float = 1.0
    batch_size: int = 1
    lr: float = 1e-4
    hold_kimg: float = 0.0  # Before the first period.
    decay_kimg: float = 100.0  # A period, after which the learning rate is halved.
    beta1: float = 0.5
    beta2: float = 0.999
    weight_decay: float = 1e-4

    def __post_init__(self) -> None:
        self.check_shared()
        at_least(self, 1, "style_halvings", "blocks", "style_size", "hidden")
        at_least(self, 1, "halvings", "discriminator_layers", "discriminator_sizes")
        weights = ("image_weight", "style_weight", "content_weight", "cycle_weight", "adversarial_weight")
        at_least(self, 0, "weight_decay", *weights)
        self._check_sides()

    def _check_sides(self) -> None:
        """Mirrored borders need two pixels before every halving, and norms two of a content."""
        judged = self.discriminator_layers + self.discriminator_sizes - 1
        most = max(self.halvings + 1, self.style_halvings, judged, 2)
        if min(self.picture.size) < 1 << most:
            raise UserError(
                f"height={self.height} and width={self.width}: halvings={self.halvings}, style_halvings="
                f"{self.style_halvings}, and discriminator_layers={self.discriminator_layers} at discriminator_sizes="
                f"{self.discriminator_sizes} need sides of at least {1 << most} pixels. Give larger pictures, or fewer "
                "of them."
            )

    @property
    def picture(self) -> WholeSize:
        """The size of the first kind of pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=1 << self.halvings)


TINY = Config(
    height=8,
    width=12,
    features=4,
    halvings=1,
    style_halvings=2,
    blocks=1,
    style_size=2,
    hidden=8,
    discriminator_features=4,
    discriminator_layers=2,
    discriminator_sizes=2,
    cycle_weight=1.0,
    batch_size=4,
    decay_kimg=0.008,
)


class Model(TranslationGame[Config, Domains]):
    """An autoencoder of content and style of each kind, together one player; discriminators of both, the other."""

    takes = (Domains,)
    directions: Sequence[str] = (A_TO_B, B_TO_A)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.autoencoders = Autoencoders(config)
        self.discriminators = nn.ModuleDict(
            {"a": _discriminator(config, config.channels), "b": _discriminator(config, config.other_channels)}
        )

    @property
    def tile_stride(self) -> int:
        """Of pictures that are gone through in tiles."""
        return 1 << self.config.halvings

    def phases(self) -> list[Phase[Domains]]:
        """Both autoencoders, then both discriminators on the translations of this step."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2, weight_decay=config.weight_decay)
        return [
            Phase(name="G", player=self.autoencoders, loss=self._autoencoder_loss, optimizer=adam),
            Phase(name="D", player=self.discriminators, loss=self._discriminator_loss, optimizer=adam),
        ]

    def translate(self, images: Images, direction: str) -> OtherImages:
        """Pictures of one kind as pictures of the other, in [-1, 1]; styles are drawn from torch's global stream."""
        style = torch.randn(len(images), self.config.style_size, device=images.device).to(images.dtype)
        return self.styled(images, style, direction)

    def style_of(self, images: OtherImages, direction: str) -> Style:
        """The styles of pictures of the kind that a direction leads to."""
        return self.autoencoders.of("b" if direction == A_TO_B else "a").style(images)

    def styled(self, images: Images, style: Style, direction: str) -> OtherImages:
        """Pictures of one kind as pictures of the other in the styles that are given."""
        here, there = ("a", "b") if direction == A_TO_B else ("b", "a")
        return self.autoencoders.of(there).decode(self.autoencoders.of(here).content(images), style)

    def show(self, batch: Domains) -> list[tuple[str, Images]]:
        """Each kind, with a drawn style of the other and with that of a picture of the other."""
        drawn = batch.randn(self.config.style_size)
        return [
            ("a", batch.a),
            ("a to b", self.styled(batch.a, drawn, A_TO_B)),
            ("a in the style of b", self.styled(batch.a, self.style_of(batch.b, A_TO_B), A_TO_B)),
            ("b", batch.b),
            ("b to a", self.styled(batch.b, drawn, B_TO_A)),
            ("b in the style of a", self.styled(batch.b, self.style_of(batch.a, B_TO_A), B_TO_A)),
        ]

    def _autoencoder_loss(self, batch: Domains) -> Terms:
        """Reconstruction of pictures, contents and styles, and rejection of translations (eq. 1 to 5)."""
        config = self.config
        drawn = {"a": batch.randn(config.style_size), "b": batch.randn(config.style_size)}
        found = {"a": self.autoencoders.a.encode(batch.a), "b": self.autoencoders.b.encode(batch.b)}
        terms: dict[str, PerSample] = {}
        for here, there in (("a", "b"), ("b", "a")):
            terms |= self._one_way(batch, here, there, found[here], drawn[there])
        return terms

    def _one_way(
        self, batch: Domains, here: str, there: str, found: tuple[Tensor, Style], drawn: Style
    ) -> dict[str, PerSample]:
        """Of pictures of one kind, and of their translations into the other."""
        config, own, other = self.config, self.autoencoders.of(here), self.autoencoders.of(there)
        images = batch.a if here == "a" else batch.b
        content, style = found
        fake = batch.keep(f"fake_{there}", other.decode(content, drawn))
        content_again, style_again = other.encode(fake)
        terms = {
            f"adversarial_{there}": config.adversarial_weight * self._accepted(there, fake),
            f"image_{here}": config.image_weight * mean_error(own.decode(content, style), images),
            f"content_{here}": config.content_weight * mean_error(content_again, content),
            f"style_{there}": config.style_weight * mean_error(style_again, drawn),
        }
        if config.cycle_weight:
            terms[f"cycle_{here}"] = config.cycle_weight * mean_error(own.decode(content_again, style), images)
        return terms

    def _discriminator_loss(self, batch: Domains) -> Terms:
        """Pictures of each kind against translations; squares of all sizes are added up, without the halves."""
        shown = {"a": batch.a, "b": batch.b}
        terms: dict[str, PerSample] = {}
        for kind, (here, direction) in {"a": ("b", B_TO_A), "b": ("a", A_TO_B)}.items():
            fake = batch.kept_or(f"fake_{kind}", partial(self._translation, batch, shown[here], direction))
            judge = self.discriminators[kind]
            pairs = zip(judge(shown[kind]), judge(fake), strict=True)
            squares = torch.stack([2 * least_squares_discriminator(*scores) for scores in pairs]).sum(0)
            terms[f"real_or_fake_{kind}"] = self.config.adversarial_weight * squares
        return terms

    def _translation(self, batch: Domains, images: Images, direction: str) -> OtherImages:
        return self.styled(images, batch.randn(self.config.style_size), direction)

    def _accepted(self, kind: str, fake: Images) -> PerSample:
        return torch.stack([least_squares_generator(scores) for scores in self.discriminators[kind](fake)]).sum(0)


class Autoencoders(nn.Module):
    """The player: the autoencoder of each kind."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.a = _autoencoder(config, config.channels)
        self.b = _autoencoder(config, config.other_channels)

    def of(self, kind: str) -> ContentStyle:
        """That of one kind."""
        return self.a if kind == "a" else self.b


def _autoencoder(config: Config, channels: int) -> ContentStyle:
    return ContentStyle(
        channels,
        features=config.features,
        halvings=config.halvings,
        style_halvings=config.style_halvings,
        blocks=config.blocks,
        style_size=config.style_size,
        hidden=config.hidden,
    )


def _discriminator(config: Config, channels: int) -> SizesDiscriminator:
    return SizesDiscriminator(
        channels,
        features=config.discriminator_features,
        layers=config.discriminator_layers,
        sizes=config.discriminator_sizes,
    )
