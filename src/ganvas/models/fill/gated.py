"""Gated convolutions that fill holes of any shape, a coarse filling first, with patches of what is around the hole.

Yu, Lin, Yang, Shen, Lu, Huang: Free-Form Image Inpainting with Gated Convolution (ICCV 2019, DeepFill v2),
https://arxiv.org/abs/1806.03589. A convolution treats a hole's pixels as it does the picture's; a gate for every place
and channel learns what to let through. A coarse network fills the hole; a second one refines that, on two branches, of
which one attends to patches of the known picture. Their discriminator (SN-PatchGAN) scores every place of a map of
features, with the mask beside the picture.

Where paper and code differ, the code is followed: the refinement sees no mask, the discriminator's last layer is
followed by a leaky ReLU, and the discriminator's loss is half of the hinge's two terms.

Departs from the code:
- Doubling is the exact repetition of pixels and halving for the attention takes every second one; the code's resizing
  aligns corners, which shifts both by up to a pixel.
- Padding of strided convolutions is alike on all sides; TensorFlow's is not.
- Every picture has a hole of its own; the code draws one for a step's whole batch.
- Dilations that would reach past the map, so that eight of nine taps are dead, are halved until they do not
  (``live_dilations``); at the paper's 256 x 256 pixels none is.
- ``start="smooth"`` is ours: holes begin with a smooth continuation of their rims, where the paper's begin with grey,
  and both stages add to it. In a few minutes of one core a small network learns more from there (docs/fill.md).
- The guided variant (edges of another program as one more channel) is not here: ``fill/sketch_colour`` is guided.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.hole_law import HoleLaw
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Steady, held_and_falling, held_then_linear
from ganvas.core.shapes import Images, Masks, OtherImages
from ganvas.losses.adversarial import hinge_generator
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.filling import made_whole, region_error, with_hole
from ganvas.losses.game import Terms
from ganvas.losses.games.fill_game import JudgedFillGame
from ganvas.losses.pixel_losses import error_map
from ganvas.networks.translation.inpainting import (
    DILATIONS,
    coarse_stage,
    dilated,
    doublings,
    gated,
    live_dilation,
    need_dilations,
    sn_patch_discriminator,
)
from ganvas.nn.blocks.contextual_attention import ContextualAttention
from ganvas.nn.guides.smooth_filling import smooth_filling
from ganvas.nn.layers.gated_conv import GatedConv2d

STRIDE = 8  # Two halvings, and one more for the attention's matching.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the three networks and their game; the defaults are the paper's, for pictures of 256x256."""

    height: int = 256  # A multiple of 8: the generators halve twice, and the attention matches at half of that.
    width: int = 256
    channels: int = 3
    features: int = 24  # Channels after the first gate at full size; the code's cnum is twice this.
    dilations: tuple[int, ...] = DILATIONS
    live_dilations: bool = True  # Dilations that reach past the map are halved until they do not.
    discriminator_features: int = 64
    discriminator_layers: int = 6  # Each halves the picture; a score of 6 sees 253 pixels.
    holes: HoleLaw = "free-form"  # deepfill is the code's own law.
    error_weight: float = 1.0  # Of the mean absolute error of both stages' whole pictures.
    start: Literal["zero", "smooth"] = (
        "zero"  # What holes begin with; from smooth fillings both stages make corrections.
    )
    known_weight: float = 1.0  # Of that error where the picture is known: copying is easy, and not what is asked for.
    adversarial_weight: float = 1.0
    batch_size: int = 16
    lr: float = 1e-4
    hold_kimg: float = 0.0  # At the full learning rate, before it falls.
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line; 0 keeps it, as the paper does.
    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "features", "discriminator_features", "discriminator_layers", "batch_size")
        at_least(self, 0, "error_weight", "known_weight", "adversarial_weight", "hold_kimg", "decay_kimg")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2")
        assert self.picture
        need_dilations(self.dilations)

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures in training; any other multiples of 8 can be filled."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=STRIDE)

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a learning rate that is 0 when the run ends, where it falls at all."""
        if not self.decay_kimg:
            return self
        hold_kimg, decay_kimg = held_and_falling(total_kimg)
        return replace(self, hold_kimg=hold_kimg, decay_kimg=decay_kimg)

    @property
    def used_dilations(self) -> tuple[int, ...]:
        """Those of the layers."""
        side = min(self.picture.size) // 4
        return tuple(live_dilation(dilation, side) if self.live_dilations else dilation for dilation in self.dilations)


TINY = Config(
    height=16,
    width=16,
    features=4,
    dilations=(2, 4),
    discriminator_features=4,
    discriminator_layers=2,
    batch_size=4,
)


class Model(JudgedFillGame[Config]):
    """Coarse stage and refinement, which are one player, and a discriminator of patches."""

    stride = STRIDE

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        coarse = coarse_stage(config.features, channels=config.channels, dilations=config.used_dilations)
        self.generator = nn.ModuleDict({"coarse": coarse, "refined": Refinement(config)})
        self.discriminator = sn_patch_discriminator(
            config.channels + 1, features=config.discriminator_features, layers=config.discriminator_layers
        )

    def schedule(self) -> Steady:
        """One batch size; a learning rate that may fall at the end."""
        config = self.config
        return held_then_linear(
            batch_size=config.batch_size, lr=config.lr, hold_kimg=config.hold_kimg, decay_kimg=config.decay_kimg
        )

    def fill(
        self, images: Images, mask: Masks, *, guide: OtherImages | None = None, noise: Masks | None = None
    ) -> Images:
        """The pictures with their holes filled in by the second stage; guides and ``noise`` are not looked at."""
        return made_whole(images, mask, self.stages(images, mask)[1].clamp(-1, 1))

    def stages(self, images: Images, mask: Masks) -> tuple[Images, Images]:
        """What the coarse network and the refinement make of the whole picture."""
        if self.config.start == "smooth":
            return self.corrected(smooth_filling(images, mask), mask)
        coarse = self._coarse(with_hole(images, mask), mask)
        return coarse, self._refined(made_whole(images, mask, coarse), mask)

    def corrected(self, begun: Images, mask: Masks) -> tuple[Images, Images]:
        """What both stages make of pictures that are filled already: each adds to what it is given."""
        coarse = begun + self._coarse(begun, mask)
        whole = made_whole(begun, mask, coarse)
        return coarse, whole + self._refined(whole, mask)

    def _coarse(self, begun: Images, mask: Masks) -> Images:
        return self.generator.get_submodule("coarse")(torch.cat([begun, torch.ones_like(mask), 1 - mask], 1))

    def _refined(self, whole: Images, mask: Masks) -> Images:
        return self.generator.get_submodule("refined")(whole, mask)

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """What is given, both stages, and the truth."""
        coarse, refined = self.stages(batch.images, batch.known)
        return [
            ("given", with_hole(batch.images, batch.known)),
            ("coarse", made_whole(batch.images, batch.known, coarse)),
            ("filled", made_whole(batch.images, batch.known, refined)),
            ("truth", batch.images),
            ("error", error_map(made_whole(batch.images, batch.known, refined), batch.images)),
        ]

    def generator_loss(self, batch: Pictures) -> Terms:
        """The absolute error of both stages, and rejection of the filled picture."""
        config = self.config
        coarse, refined = self.stages(batch.images, batch.known)
        filled = batch.keep("filled", made_whole(batch.images, batch.known, refined))
        region = 1 - batch.known + config.known_weight * batch.known
        terms = {
            "error_coarse": config.error_weight * region_error(coarse, batch.images, region),
            "error_refined": config.error_weight * region_error(refined, batch.images, region),
        }
        if config.adversarial_weight:
            scores = self._scores(filled, batch.known).mean(1)
            terms["adversarial"] = config.adversarial_weight * hinge_generator(scores)
        return terms

    def discriminator_loss(self, batch: Pictures) -> Terms:
        """Half the hinge of every score of the map: real pictures above 1, filled ones below -1."""
        filled = batch.kept_or("filled", lambda: self.fill(batch.images, batch.known))
        scores = self._scores(torch.cat([batch.images, filled.to(batch.images.dtype)]), batch.known.repeat(2, 1, 1, 1))
        real, made = scores.chunk(2)  # In one pass, as in the code.
        return {"real_or_filled": 0.5 * (F.relu(1 - real) + F.relu(1 + made)).mean(1)}

    def _scores(self, images: Images, mask: Masks) -> Float[Tensor, "n scores"]:
        return self.discriminator(torch.cat([images, 1 - mask], 1)).flatten(1)


class Refinement(nn.Module):
    """Two branches, one of dilated convolutions and one of contextual attention, and a decoder of both.

    Takes the picture with the coarse filling in it, (n, c, h, w), and gives a whole picture.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, channels = config.features, config.channels
        self.convolved = nn.Sequential(
            *(gated(channels, w, 5), gated(w, w, stride=2), gated(w, 2 * w), gated(2 * w, 2 * w, stride=2)),
            *(gated(2 * w, 4 * w), gated(4 * w, 4 * w), *dilated(4 * w, config.used_dilations)),
        )
        self.attending = nn.Sequential(
            *(gated(channels, w, 5), gated(w, w, stride=2), gated(w, 2 * w), gated(2 * w, 4 * w, stride=2)),
            *(gated(4 * w, 4 * w), GatedConv2d(4 * w, 4 * w, 3, padding=1, activation=F.relu)),
        )
        self.attention = ContextualAttention()
        self.attended = nn.Sequential(gated(4 * w, 4 * w), gated(4 * w, 4 * w))
        self.decoder = nn.Sequential(*doublings(8 * w, w, channels=channels))

    def forward(self, x: Images, mask: Masks) -> Images:
        seen = self.attention(self.attending(x), mask[:, :, ::4, ::4])
        return self.decoder(torch.cat([self.convolved(x), self.attended(seen)], 1))
