"""Editing of pictures by mask, sketch and colour: a hole is filled in after what a person has drawn in it.

Jo, Park: SC-FEGAN: Face Editing Generative Adversarial Network with User's Sketch and Color (ICCV 2019),
https://arxiv.org/abs/1902.06838. A network with gated convolutions sees the picture with its hole, lines, colours, the
mask and noise; seven halvings, dilated layers at the bottom, and doublings with skips. The discriminator has spectral
norms and sees the drawing too.

The authors published the network and no training. Four things in it are faults, and settings here:
- ``own_gate``: the gate of a transposed convolution is the sigmoid of its own features, and so no gate; its bias is
  never used. As meant, that bias makes a gate.
- ``norm``: the paper normalises pixels as ProGAN does; the code calls TensorFlow's local response norm, which divides
  by a sum over 11 channels.
- ``presence``: no stroke and a black stroke are the same input. A channel says where a colour was drawn.
- ``live_dilations``: at 512 x 512 the bottom is 4 x 4, and three of four dilated layers reach past it with all but
  their middle taps: 12,582,912 of 92,886,100 parameters do nothing. Dilations are halved until they reach something.

Departs from the paper, "after SC-FEGAN":
- Perceptual and style losses (of VGG-16) are left out, as its weights are not part of Ganvas; the weight of the hole's
  error, which the paper does not give, is 2.
- The discriminator's loss is the hinge of every score; the paper's is without the hinge and with a gradient penalty.
- Sketches are Canny's edges and colours bilateral, where the paper takes HED and a face parser (the feed's choice).
  Guides are dropped now and then (``guide_drop``), so that the model fills in without them too.
- Noise is normal; that of the authors' demo is 0 or 1.
- Transposed convolutions and strided ones are padded alike on all sides.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.hole_law import HoleLaw
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, Masks, OtherImages
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.filling import made_whole, region_error, total_variation, with_hole
from ganvas.losses.game import Terms
from ganvas.losses.games.fill_game import JudgedFillGame
from ganvas.losses.pixel_losses import error_map
from ganvas.networks.translation.inpainting import DILATIONS, live_dilation, need_dilations, sn_patch_discriminator
from ganvas.nn.layers.gated_conv import GatedConv2d
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.norms.lrn import from_tf, local_response_norm
from ganvas.nn.norms.pixel_norm import pixel_norm

KERNELS = (7, 5, 5)  # Of the first layers on the way down; all others are 3.
SLOPE = 0.2


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of both networks and their game; the defaults are as the paper means it, for 512x512 pixels."""

    height: int = 512  # A multiple of 2^halvings.
    width: int = 512
    channels: int = 3
    halvings: int = 7
    features: int = 64  # After the first layer; doubled by each of the next three.
    dilations: tuple[int, ...] = DILATIONS
    live_dilations: bool = True
    own_gate: bool = True  # Of transposed convolutions; without, as released, they gate themselves.
    norm: Literal["pixel", "lrn"] = "pixel"
    presence: bool = True  # A channel that says where a colour was drawn.
    noise_deviation: float = 1.0  # Of the noise that a hole is filled from.
    guide_drop: float = 0.2  # How often a picture's whole drawing is left out in training; a fifth of it, each part.
    discriminator_features: int = 64
    discriminator_layers: int = 6
    holes: HoleLaw = "free-form"
    known_weight: float = 1.0
    hole_weight: float = 2.0
    variation_weight: float = 0.1
    adversarial_weight: float = 0.001
    batch_size: int = 8
    lr: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "halvings", "features", "discriminator_features", "discriminator_layers", "batch_size")
        at_least(self, 0, "known_weight", "hole_weight", "variation_weight", "adversarial_weight", "noise_deviation")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2", "guide_drop")
        assert self.picture
        need_dilations(self.dilations)

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures in training."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=1 << self.halvings)

    @property
    def used_dilations(self) -> tuple[int, ...]:
        """Those of the layers at the bottom."""
        side = min(self.picture.size) >> self.halvings
        return tuple(live_dilation(rate, side) if self.live_dilations else rate for rate in self.dilations)

    @property
    def drawn(self) -> int:
        """Channels of a drawing that the networks see."""
        return 1 + self.channels + self.presence


TINY = Config(
    height=8,
    width=8,
    halvings=2,
    features=4,
    dilations=(1,),
    discriminator_features=4,
    discriminator_layers=2,
    batch_size=4,
)


class Model(JudgedFillGame[Config]):
    """A generator and a discriminator of patches."""

    guides: Sequence[Literal["sketch", "colour"]] = ("sketch", "colour")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = sn_patch_discriminator(
            config.channels + 1 + config.drawn,
            features=config.discriminator_features,
            layers=config.discriminator_layers,
        )

    @property
    def stride(self) -> int:
        """Sides are halved so often."""
        return 1 << self.config.halvings

    @property
    def tile_stride(self) -> int:
        """Pictures may be shifted by multiples of it: nothing is counted over the picture."""
        return self.stride

    def fill(
        self, images: Images, mask: Masks, *, guide: OtherImages | None = None, noise: Masks | None = None
    ) -> Images:
        """The pictures with their holes filled in after the guide; the noise is 0 where none is given."""
        given = torch.zeros_like(mask) if noise is None else noise
        return made_whole(images, mask, self.made(images, mask, self._drawing(images, mask, guide), given))

    def made(self, images: Images, mask: Masks, drawing: Tensor, noise: Masks) -> Images:
        """The whole picture that the generator makes."""
        hole = 1 - mask
        noise = self.config.noise_deviation * noise * hole
        return self.generator(torch.cat([with_hole(images, mask), drawing, hole, noise], 1))

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """What is given, fillings with the drawing and without, the drawing, and the truth."""
        images, mask = batch.images, batch.known
        drawing = self._drawing(images, mask, batch.guide)
        coloured = drawing[:, 1 : 1 + self.config.channels]
        filled = self.fill(images, mask, guide=batch.guide)
        return [
            ("given", with_hole(images, mask)),
            ("drawn", torch.where(drawing[:, :1] > 0, -1.0, coloured)),
            ("filled after it", filled),
            ("filled without", self.fill(images, mask)),
            ("truth", images),
            ("error after it", error_map(filled, images)),
        ]

    def _drawing(self, images: Images, mask: Masks, guide: OtherImages | None) -> Float[Tensor, "n drawn h w"]:
        """The guide inside of the hole; nothing drawn where there is none."""
        if guide is None:
            guide = images.new_zeros(len(images), self.config.channels + 2, *images.shape[2:])
        return guide[:, : self.config.drawn] * (1 - mask)

    def _dropped(self, batch: Pictures) -> OtherImages:
        """The drawing of training, left out now and then: whole, and each of its parts."""
        assert batch.guide is not None, "a model that heeds drawings is fed with them"
        drop = self.config.guide_drop
        coins = batch.rand(3, 1, 1, 1)
        kept = coins[:, 0] >= drop
        lines, colours = kept & (coins[:, 1] >= drop / 5), kept & (coins[:, 2] >= drop / 5)
        return torch.cat([batch.guide[:, :1] * lines, batch.guide[:, 1:] * colours], 1)

    def _made(self, batch: Pictures) -> Images:
        """The whole picture after this step's drawing, which is kept, and its noise."""
        drawing = batch.keep("drawing", self._drawing(batch.images, batch.known, self._dropped(batch)))
        return self.made(batch.images, batch.known, drawing, batch.randn(1, *batch.images.shape[2:]))

    def generator_loss(self, batch: Pictures) -> Terms:
        """Errors by region, variation about the hole, and rejection of the filled picture."""
        config, images, mask = self.config, batch.images, batch.known
        made = self._made(batch)
        whole = batch.keep("filled", made_whole(images, mask, made))
        terms = {
            "error_known": config.known_weight * region_error(made, images, mask),
            "error_hole": config.hole_weight * region_error(made, images, 1 - mask),
            "variation": config.variation_weight * total_variation(whole, 1 - mask),
        }
        if config.adversarial_weight:
            scores = self._scores(whole, mask, batch.kept["drawing"])
            terms["adversarial"] = -config.adversarial_weight * scores.mean(1)
        return terms

    def discriminator_loss(self, batch: Pictures) -> Terms:
        """The hinge of every score: real pictures above 1, filled ones below -1, each with the same drawing."""
        images, mask = batch.images, batch.known
        filled = batch.kept_or("filled", lambda: made_whole(images, mask, self._made(batch)))
        drawing = batch.kept["drawing"]
        real, made = (self._scores(shown, mask, drawing) for shown in (images, filled))
        return {"real_or_filled": (F.relu(1 - real) + F.relu(1 + made)).mean(1)}

    def _scores(self, images: Images, mask: Masks, drawing: Tensor) -> Float[Tensor, "n scores"]:
        return self.discriminator(torch.cat([images, 1 - mask, drawing], 1)).flatten(1)


class Generator(nn.Module):
    """Down by gated convolutions, dilated ones, and up by gated transposed ones with skips."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = config.channels + config.drawn + 2
        widths = [channels, *(config.features << min(level, 3) for level in range(config.halvings))]
        kernels = [*KERNELS, *(3 for _ in range(config.halvings))]
        plain, normed = _leaky, _normed(config.norm)
        last = config.halvings - 1
        self.down = nn.ModuleList(
            _gated(before, after, kernels[level], stride=2, activation=plain if level == 0 else normed)
            for level, (before, after) in enumerate(itertools.pairwise(widths))
        )
        deepest = widths[-1]
        self.bottom = nn.Sequential(
            *(_gated(deepest, deepest, 3, dilation=rate, activation=normed) for rate in config.used_dilations)
        )
        outs = [config.channels, *widths[1:-1]]
        ins = [*widths[1:]]
        self.up = nn.ModuleList(
            GatedConvTranspose2d(ins[level], outs[level], own_gate=config.own_gate) for level in range(last, -1, -1)
        )
        self.join = nn.ModuleList(
            _gated(widths[level] + outs[level], outs[level], 3, activation=normed if level else nn.Identity())
            for level in range(last, -1, -1)
        )

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Images:
        passed = []
        for layer in self.down:
            passed.append(x)
            x = layer(x)
        x = self.bottom(x)
        for up, join, skip in zip(self.up, self.join, reversed(passed), strict=True):
            x = join(torch.cat([skip, up(x)], 1))
        return torch.tanh(x)


class GatedConvTranspose2d(nn.Module):
    """``lrelu(y + b) sigmoid(y + b_g)`` with ``y`` a transposed convolution of 5 x 5 from h to 2h.

    Args:
        own_gate: Without, ``lrelu(y + b) sigmoid(lrelu(y + b))`` as in the authors' code; ``b_g`` moves nothing then.
    """

    def __init__(self, in_channels: int, out_channels: int, *, own_gate: bool) -> None:
        super().__init__()
        self.weight = unset(in_channels, out_channels, 5, 5)
        self.bias, self.gate_bias = unset(out_channels), unset(out_channels)
        self.own_gate = own_gate
        self.gate_bias.requires_grad_(own_gate)

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=0.02)
        nn.init.zeros_(self.bias)
        nn.init.zeros_(self.gate_bias)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 2*h 2*w"]:
        weight = filled(self.weight).to(x.dtype)
        y = F.conv_transpose2d(x, weight, stride=2, padding=2, output_padding=1)
        features = F.leaky_relu(y + filled(self.bias).to(x.dtype).view(-1, 1, 1), SLOPE)
        if not self.own_gate:
            return features * torch.sigmoid(features)
        return features * torch.sigmoid(y + filled(self.gate_bias).to(x.dtype).view(-1, 1, 1))


def _gated(
    before: int,
    after: int,
    kernel: int,
    *,
    activation: Callable[[Tensor], Tensor],
    stride: int = 1,
    dilation: int = 1,
) -> GatedConv2d:
    padding = dilation * (kernel // 2)
    return GatedConv2d(before, after, kernel, stride=stride, padding=padding, dilation=dilation, activation=activation)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE)


def _normed(norm: str) -> Callable[[Tensor], Tensor]:
    """The norm and a leaky ReLU."""
    if norm == "pixel":
        return lambda x: _leaky(pixel_norm(x))
    settings = from_tf(5, bias=5e-5, alpha=1.0, beta=0.5)
    return lambda x: _leaky(local_response_norm(x, **settings))
