"""The augmentations "bgc" of ADA: pixel blits, general geometry and colour, each with probability p for each picture.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data (NeurIPS
2020), https://arxiv.org/abs/2006.06676, section 2 and appendix B; the order of the steps and their constants are those
of the authors' code. A discriminator that sees only augmented pictures, real and generated ones alike, cannot learn few
pictures by heart; as long as p is below 1, the generator is still best off when it draws clean ones.

Departs from the authors' code:
- A picture that is only mirrored, turned by 90 degrees or moved by whole pixels is copied exactly; theirs passes it
  through the filters, which are not quite symmetric.
- p = 0 leaves every bit as it is; theirs passes pictures through the filters still.
- Pictures of any number of channels. Grey ones: as theirs, without hue and saturation. Of more than three channels,
  the first three are red, green and blue; what follows, such as opacity, goes with the geometry and keeps its values.
  The second of two channels likewise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from ganvas.core.shapes import Images, PerSample, Scalar
from ganvas.nn.augment.full_precision import full_precision
from ganvas.nn.augment.homogeneous import (
    ColourMaps,
    PlaneMaps,
    along_grey,
    hue_rotation,
    quarter_turns,
    rotation,
    scaling,
    translation,
)
from ganvas.nn.augment.random_rows import RandomRows
from ganvas.nn.augment.warp import blit, warp

WHOLE_SHIFT = 0.125  # Of a side: the largest shift by whole pixels.
SCALE_STD = 0.2  # Of the base-2 logarithm of a scale, equal or opposite for the two sides.
SHIFT_STD = 0.125  # Of a shift by fractions of pixels, in sides.
BRIGHTNESS_STD = 0.2
CONTRAST_STD = 0.5  # Of the base-2 logarithm.
SATURATION_STD = 1.0  # Of the base-2 logarithm.

Marks = Bool[Tensor, " n"]


@dataclass(frozen=True, kw_only=True)
class PlaneChange:
    """How the pictures of a batch are moved."""

    inverse: PlaneMaps  # From an output place to the place that it is read from.
    moved: Marks  # Whether a picture is moved at all.
    blitted: Marks  # Whether its pixels go onto pixels.


@dataclass(frozen=True, kw_only=True)
class ColourChange:
    """How the colours of a batch are changed."""

    maps: ColourMaps
    changed: Marks


def bgc(images: Images, p: Scalar, rows: RandomRows) -> Images:
    """The pictures, augmented: geometry, then colour. Every step draws anew for every picture.

    Args:
        images: Of any floating-point type; everything is computed in float32 at least.
        p: The probability of each step, in [0, 1]; a tensor, so that nothing waits for its value.
    """
    height, width = images.shape[-2:]
    with full_precision(images.device):
        wide = images.to(torch.promote_types(images.dtype, torch.float32))
        wide = moved(wide, draw_geometry(p, rows, height, width))
        return recoloured(wide, draw_colours(p, rows)).to(images.dtype)


def moved(images: Images, geometry: PlaneChange) -> Images:
    """The pictures under their maps; those that are not moved keep every bit.

    On a processor only those pictures pass through the filters that have to. A GPU would have to wait until it is known
    which; there all do.
    """
    warped, blitted = geometry.moved & ~geometry.blitted, geometry.moved & geometry.blitted
    if images.device.type == "cpu":
        return _moved_where(blitted, blit, geometry, _moved_where(warped, warp, geometry, images))
    found = torch.where(_per_picture(warped), warp(images, geometry.inverse), images)
    return torch.where(_per_picture(blitted), blit(images, geometry.inverse), found)


def _moved_where(
    marks: Marks, move: Callable[[Images, PlaneMaps], Images], geometry: PlaneChange, images: Images
) -> Images:
    """The pictures, those that are marked moved; the host waits for the marks."""
    rows = marks.nonzero().flatten()
    return images.index_copy(0, rows, move(images[rows], geometry.inverse[rows])) if len(rows) else images


def _per_picture(marks: Marks) -> Bool[Tensor, "n 1 1 1"]:
    return marks.view(-1, 1, 1, 1)


def recoloured(images: Images, colours: ColourChange) -> Images:
    """The pictures with their colours mapped; those that are not changed keep every bit."""
    channels = images.shape[1]
    maps = colours.maps.to(images.dtype)
    shown = images[:, : 3 if channels > 2 else 1]
    if channels > 2:
        mapped = torch.einsum("noc,nchw->nohw", maps[:, :3, :3], shown) + maps[:, :3, 3, None, None]
    else:
        grey = maps[:, :3].mean(1)  # What the colour (grey, grey, grey) becomes, as grey.
        mapped = grey[:, :3].sum(1).view(-1, 1, 1, 1) * shown + grey[:, 3].view(-1, 1, 1, 1)
    mapped = torch.cat([mapped, images[:, shown.shape[1] :]], 1)
    return torch.where(_per_picture(colours.changed), mapped, images)


def draw_geometry(p: Scalar, rows: RandomRows, height: int, width: int) -> PlaneChange:
    """Mirror, quarter turns, whole shift; then scale, rotation, opposite scales, rotation again, shift.

    Either rotation has probability ``1 - sqrt(1 - p)``, so that one of them or both have p.
    """
    uniform, normal = rows.rand(6).unbind(1), rows.randn(4).unbind(1)
    coins = rows.rand(8) < torch.cat([p.expand(6), (1 - (1 - p).sqrt()).expand(2)])
    mirror, turn, whole, scale, opposite, shift, before, after = coins.unbind(1)
    mirrored = mirror & (uniform[0] < 0.5)
    turns = turn * (4 * uniform[1]).floor()
    columns, lines = (
        whole * (WHOLE_SHIFT * (2 * u - 1) * side).round() for u, side in ((uniform[2], width), (uniform[3], height))
    )
    larger, longer = (coin * SCALE_STD * z for coin, z in ((scale, normal[0]), (opposite, normal[1])))
    first, second = (coin * math.pi * (2 * u - 1) for coin, u in ((before, uniform[4]), (after, uniform[5])))
    x, y = (shift * SHIFT_STD * z * side for z, side in ((normal[2], width), (normal[3], height)))
    inverse = inverse_of(
        mirrored=mirrored,
        turns=turns,
        whole=(columns, lines),
        scale=larger.exp2(),
        first=first,
        stretch=longer.exp2(),
        second=second,
        shift=(x, y),
    )
    general = scale | opposite | shift | before | after
    between = (turns % 2 != 0) & bool((height - width) % 2)  # A turn about the middle puts pixels between pixels.
    blitting = mirrored | (turns != 0) | (columns != 0) | (lines != 0)
    return PlaneChange(inverse=inverse, moved=general | blitting, blitted=~general & ~between)


def inverse_of(
    *,
    mirrored: Marks,
    turns: PerSample,
    whole: tuple[PerSample, PerSample],
    scale: PerSample,
    first: PerSample,
    stretch: PerSample,
    second: PerSample,
    shift: tuple[PerSample, PerSample],
) -> PlaneMaps:
    """The inverse map of all steps in their order: each step's inverse stands to the right of those before it."""
    steps = [
        scaling(1 - 2 * mirrored.to(turns.dtype), torch.ones_like(turns)),
        quarter_turns(-turns),
        translation(-whole[0], -whole[1]),
        scaling(1 / scale, 1 / scale),
        rotation(-first),
        scaling(1 / stretch, stretch),
        rotation(-second),
        translation(-shift[0], -shift[1]),
    ]
    inverse = steps[0]
    for step in steps[1:]:
        inverse = inverse @ step
    return inverse


def draw_colours(p: Scalar, rows: RandomRows) -> ColourChange:
    """Brightness, contrast about mid grey, mirroring of the luma, hue, saturation: in this order, as one matrix."""
    uniform, normal = rows.rand(2).unbind(1), rows.randn(3).unbind(1)
    brightness, contrast, flip, hue, saturation = (rows.rand(5) < p).unbind(1)
    maps = colour_maps(
        brightness=brightness * BRIGHTNESS_STD * normal[0],
        contrast=(contrast * CONTRAST_STD * normal[1]).exp2(),
        luma=1 - 2 * (flip & (uniform[0] < 0.5)).to(p.dtype),
        hue=hue * math.pi * (2 * uniform[1] - 1),
        saturation=(saturation * SATURATION_STD * normal[2]).exp2(),
    )
    return ColourChange(maps=maps, changed=brightness | contrast | flip | hue | saturation)


def colour_maps(
    *, brightness: PerSample, contrast: PerSample, luma: PerSample, hue: PerSample, saturation: PerSample
) -> ColourMaps:
    """``S H L C B``: B adds, C multiplies all channels, L multiplies along the grey axis (by -1 to mirror), H turns
    around that axis, and S multiplies across it."""
    ones, none = torch.ones_like(brightness), torch.zeros_like(brightness)
    lighter = along_grey(contrast * luma, contrast, contrast * luma * brightness)
    return along_grey(ones, saturation, none) @ hue_rotation(hue) @ lighter
