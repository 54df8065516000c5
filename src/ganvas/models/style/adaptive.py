"""Adaptive style transfer: pictures take on the style of a collection, say of one painter.

Sanakoyeu, Kotovenko, Lang, Ommer: A Style-Aware Content Loss for Real-time HD Style Transfer (ECCV 2018),
https://arxiv.org/abs/1807.10201. Networks that were trained on photographs say what a picture's content is in
photographs; what matters to a painter is another question. Here the encoder that makes the painting also says what must
be kept: a painting must be encoded as its photograph was. Beside it, both must be alike after blurring (the transformed
image loss), and a discriminator with scores at five depths must take the painting for one of the collection.

Only one of the two players moves in a step: the discriminator while it wins less often than ``win_rate``, else the
generator (as in the code). Whose move it is is read from a running mean that is saved, so that a resumed run goes on
alike; reading it waits for the device once a step.

It takes two kinds of pictures: contents (``--data``) and the collection (``--other``).

Departs from the paper, beside what :mod:`ganvas.networks.translation.style_aware` says:
- The weights are those of the authors' code (1, 100, 100). The paper gives 0.001 to the adversarial loss.
- ``discriminator_norm=none`` leaves out the discriminator's instance norms, which take the level and the contrast of
  colours out of what it sees.
- Pictures are cropped and mirrored; the code also scales, turns, shears and recolours them a little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Steady
from ganvas.core.shapes import Images, OtherImages, PerSample
from ganvas.losses.adversarial import non_saturating_discriminator, non_saturating_generator
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.game import Game, Phase, Terms
from ganvas.losses.optimizers import Adam
from ganvas.losses.pixel_losses import mean_error
from ganvas.networks.translation.style_aware import (
    KERNELS,
    SCORED,
    ScoredDiscriminator,
    same_padding,
    style_decoder,
    style_encoder,
)
from ganvas.nn.layers.across_ranks import all_ranks_mean

A_TO_B = "a-to-b"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are the authors', for crops of 768x768."""

    height: int = 768  # A multiple of 2^halvings.
    width: int = 768
    channels: int = 3  # Of contents (--data).
    other_channels: int = 3  # Of the collection (--other): as many.
    features: int = 32  # Feature maps of the generator at full size.
    halvings: int = 4
    blocks: int = 9  # Residual blocks of the decoder.
    discriminator_features: int = 64
    discriminator_norm: Literal["instance", "none"] = "instance"  # None where the colours are part of the style.
    scored: tuple[int, ...] = SCORED  # Layers of the discriminator that have scores, from 0; each layer halves.
    adversarial_weight: float = 1.0
    blurred_weight: float = 100.0  # Of the squared error between both pictures after blurring.
    content_weight: float = 100.0  # Of the error between both contents.
    blur: int = 10  # Side of the square that is averaged over.
    win_rate: float = 0.8  # How often the discriminator is to be right.
    win_memory: float = 0.95  # Decay per step of the running mean that is compared with it.
    batch_size: int = 1
    lr: float = 2e-4
    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        at_least(self, 1, "features", "halvings", "blocks", "discriminator_features", "blur", "batch_size")
        at_least(self, 0, "adversarial_weight", "blurred_weight", "content_weight")
        above(self, 0, "lr")
        fractions(self, "win_rate", "win_memory", "beta1", "beta2")
        if self.channels != self.other_channels:
            raise UserError(
                f"channels={self.channels} and other_channels={self.other_channels}: the discriminator looks at both "
                "kinds alike. Give both the same number, such as --set channels=3 --set "
                "other_channels=3."
            )
        if not self.scored or sorted(set(self.scored)) != list(self.scored) or not 0 <= self.scored[-1] < len(KERNELS):
            raise UserError(f"scored={self.scored} must be layers from 0 to {len(KERNELS) - 1} in their order: 0,1,3.")
        least = max(1 << self.halvings, 1 << (self.scored[-1] + 1)) + 1
        if min(self.picture.size) < least:
            raise UserError(
                f"Pictures of {self.height}x{self.width} are halved to single pixels by halvings={self.halvings} and "
                f"scored={self.scored}, and one pixel has no deviation. Train at sides of at least {least} pixels, or "
                "take --preset small, or smaller numbers for --set halvings and --set scored."
            )

    @property
    def picture(self) -> WholeSize:
        """The size of contents."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=1 << self.halvings)

    @property
    def other_picture(self) -> WholeSize:
        """That of the collection: the same."""
        return self.picture


TINY = Config(
    height=8,
    width=12,
    features=3,
    halvings=2,
    blocks=1,
    discriminator_features=2,
    scored=(0, 1),
    blur=4,
    batch_size=4,
)


class Model(Game[Config, Domains]):
    """A generator and a discriminator, of which one moves in a step."""

    takes = (Domains,)
    directions: Sequence[str] = (A_TO_B,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = Stylist(config)
        self.discriminator = ScoredDiscriminator(
            config.channels,
            features=config.discriminator_features,
            scored=config.scored,
            normed=config.discriminator_norm == "instance",
        )
        self.register_buffer("wins", torch.tensor(config.win_rate))

    @property
    def tile_stride(self) -> int:
        """Of pictures that are gone through in tiles."""
        return 1 << self.config.halvings

    def schedule(self) -> Steady:
        """A constant rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Domains]]:
        """The generator where the discriminator wins often enough, else the discriminator."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        return [
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                optimizer=adam,
                turn=lambda step, nimg: self.discriminator_wins(),
                after=self._count_wins,
            ),
            Phase(
                name="D",
                player=self.discriminator,
                loss=self._discriminator_loss,
                optimizer=adam,
                turn=lambda step, nimg: not self.discriminator_wins(),
                after=self._count_wins,
            ),
        ]

    def memory(self) -> Sequence[str]:
        """How often the discriminator won: saved to resume from, and no part of the published model."""
        return ("wins",)

    def discriminator_wins(self) -> bool:
        """Whether it does so as often as it is to; of shapes alone, which have no values, as at the start."""
        wins = self.get_buffer("wins")
        return wins.is_meta or bool(wins >= self.config.win_rate)

    def translate(self, images: Images, direction: str) -> OtherImages:
        """Pictures in the style of the collection, in [-1, 1]."""
        return self.generator(images)

    def show(self, batch: Domains) -> list[tuple[str, Images]]:
        """Contents, what they become, and pictures of the collection."""
        return [("contents", batch.a), ("made", self.generator(batch.a)), ("collection", batch.b)]

    def _generator_loss(self, batch: Domains) -> Terms:
        """Rejection at every scored depth, and the distances of blurred pictures and of contents (eq. 1 to 4)."""
        config, content = self.config, self.generator.encoder(batch.a)
        made = batch.keep("made", self.generator.decoder(content))
        scores = self.discriminator(made)
        batch.keep("won", 1 - _share(scores, above=True))
        terms: dict[str, PerSample] = {
            "blurred": config.blurred_weight
            * _squared_error(blurred(made, config.blur), blurred(batch.a, config.blur)),
            "content": config.content_weight * mean_error(self.generator.encoder(made), content),
        }
        if config.adversarial_weight:
            rejected = torch.stack([non_saturating_generator(one) for one in scores]).sum(0)
            terms["adversarial"] = config.adversarial_weight * rejected
        return terms

    def _discriminator_loss(self, batch: Domains) -> Terms:
        """Cross-entropy of the collection, of contents, and of what is made of these, at every scored depth."""
        made = batch.kept_or("made", lambda: self.generator(batch.a))
        real, given, fake = (self.discriminator(shown) for shown in (batch.b, batch.a, made))
        shares = [_share(real, above=True), _share(given, above=False), _share(fake, above=False)]
        batch.keep("won", torch.stack(shares).mean(0))
        told = torch.stack([non_saturating_discriminator(x, y) for x, y in zip(real, fake, strict=True)]).sum(0)
        contents = torch.stack([_over_places(F.softplus(one)) for one in given]).sum(0)
        weight = self.config.adversarial_weight
        return {"real_or_made": weight * told, "contents": weight * contents}

    def _count_wins(self, batch: Domains, terms: Terms) -> None:
        """``s <- m s + (1 - m) a`` where a is how often the discriminator was right about what this step showed it."""
        wins = self.get_buffer("wins")
        wins.lerp_(all_ranks_mean(batch.kept["won"].to(wins.dtype)), 1 - self.config.win_memory)


class Stylist(nn.Module):
    """The player: encoder and decoder."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        how = {"channels": config.channels, "halvings": config.halvings}
        self.encoder = style_encoder(config.features, **how)
        self.decoder = style_decoder(config.features, blocks=config.blocks, **how)

    def forward(self, images: Images) -> OtherImages:
        return self.decoder(self.encoder(images))


def blurred(images: Images, side: int) -> Images:
    """The mean over a square about every pixel, of what lies within the picture."""
    padding = (*same_padding(images.shape[3], side), *same_padding(images.shape[2], side))
    inside = F.pad(torch.ones_like(images[:1, :1]), padding)
    return F.avg_pool2d(F.pad(images, padding), side, 1) / F.avg_pool2d(inside, side, 1)


def _squared_error(x: Images, y: Images) -> PerSample:
    return (x - y).square().flatten(1).mean(1)


def _share(scores: Sequence[Tensor], *, above: bool) -> PerSample:
    """The share of a map's scores on one side of 0, the mean over depths."""
    sides = [(one > 0 if above else one < 0).float() for one in scores]
    return torch.stack([_over_places(side) for side in sides]).mean(0)


def _over_places(values: Tensor) -> PerSample:
    return values.flatten(1).mean(1)
