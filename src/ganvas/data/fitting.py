"""Sizes: crops, borders and averages that bring pictures to one.

A whole-number reduction is the exact average over boxes, to the nearest byte: averaging down twice by 2 is (up to
rounding) averaging down once by 4, which is what progressive growing shows its discriminator. Every other change of
size is Lanczos with antialiasing. Averages are taken of the stored bytes, as the field does, not of linear light.
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from ganvas.core.errors import UserError
from ganvas.data.colour import Colour, Pictures

Fit = Literal["refuse", "crop", "pad", "stretch"]
Size = tuple[int, int]  # Height, width.
Window = tuple[int, int, int, int]  # Top, left, height, width.
Planes = UInt8[np.ndarray, "n _ _"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one size becomes another: cut ``window`` out, bring it to ``inner``, lay it at ``offset`` on ``size``."""

    window: Window
    inner: Size
    offset: tuple[int, int]
    size: Size
    reshaped: str = ""  # The rule that brought it to another shape: crop, pad or stretch.

    @property
    def method(self) -> str:
        """``none``, ``box`` or ``lanczos``."""
        (_, _, height, width), (inner_height, inner_width) = self.window, self.inner
        if (height, width) == self.inner:
            return "none"
        return "box" if height % inner_height == 0 and width % inner_width == 0 else "lanczos"


def plan(have: Size, want: Size, fit: Fit, *, name: str = "") -> Plan:
    """How pictures of the size ``have`` come to the size ``want``.

    Raises:
        UserError: ``fit`` is "refuse" and the picture is smaller or of another shape.
    """
    (h, w), (height, width) = have, want
    whole = Plan(window=(0, 0, h, w), inner=want, offset=(0, 0), size=want)
    if h * width == w * height and (h >= height or fit != "refuse"):
        return whole
    if fit == "refuse":
        raise _refusal(have, want, name)
    whole = dataclasses.replace(whole, reshaped=fit)
    if fit == "stretch":
        return whole
    if fit == "crop":
        cut_h, cut_w = min(h, max(1, round(w * height / width))), min(w, max(1, round(h * width / height)))
        return dataclasses.replace(whole, window=((h - cut_h) // 2, (w - cut_w) // 2, cut_h, cut_w))
    inner = min(height, max(1, round(h * width / w))), min(width, max(1, round(w * height / h)))
    return dataclasses.replace(whole, inner=inner, offset=((height - inner[0]) // 2, (width - inner[1]) // 2))


def apply(steps: Plan, pictures: Pictures, background: Colour) -> Pictures:
    """Pictures of one size with 1, 3 or 4 channels, brought to another. Padding with alpha is transparent."""
    top, left, height, width = steps.window
    cut = pictures[:, top : top + height, left : left + width]
    if steps.method == "box":
        inner = _box_average(cut, steps.inner)
    elif steps.method == "lanczos":
        inner = np.stack([_lanczos(picture, steps.inner) for picture in cut])
    else:
        inner = cut
    if steps.inner == steps.size:
        return np.ascontiguousarray(inner)
    channels = pictures.shape[-1]
    border = {1: background[:1], 3: background, 4: (*background, 0)}[channels]
    padded = np.empty((len(inner), *steps.size, channels), np.uint8)
    padded[:] = np.array(border, np.uint8)
    y, x = steps.offset
    padded[:, y : y + steps.inner[0], x : x + steps.inner[1]] = inner
    return padded


def apply_to_masks(steps: Plan, masks: Planes, *, padding: int = 0) -> Planes:
    """Class numbers cannot be averaged: each pixel takes the class at its centre. Padding is one number."""
    top, left, height, width = steps.window
    rows = top + ((np.arange(steps.inner[0]) + 0.5) * height / steps.inner[0]).astype(int)
    columns = left + ((np.arange(steps.inner[1]) + 0.5) * width / steps.inner[1]).astype(int)
    moved = np.full((len(masks), *steps.size), padding, np.uint8)
    y, x = steps.offset
    moved[:, y : y + steps.inner[0], x : x + steps.inner[1]] = masks[:, rows[:, None], columns]
    return moved


def _box_average(pictures: Pictures, size: Size) -> Pictures:
    """``(sum over the box + half) // count``; with alpha, colours weigh by their alpha."""
    _, h, w, channels = pictures.shape
    tall, wide = h // size[0], w // size[1]
    if channels == 4:
        alpha = pictures[..., 3:].astype(np.uint32)
        colour = _box_sum(pictures[..., :3] * alpha, size)
        weight = _box_sum(alpha, size)
        colour = (colour + weight // 2) // np.maximum(weight, 1)
        return np.concatenate([colour, (weight + tall * wide // 2) // (tall * wide)], axis=-1).astype(np.uint8)
    return ((_box_sum(pictures, size) + tall * wide // 2) // (tall * wide)).astype(np.uint8)


def _box_sum(values: np.ndarray, size: Size) -> np.ndarray:
    """Rows first, then columns by strided sums: many times faster than one sum over both short axes."""
    n, h, w, channels = values.shape
    tall, wide = h // size[0], w // size[1]
    exact = np.uint64 if values.dtype == np.uint32 else np.uint32
    rows = values.reshape(n, size[0], tall, w, channels)
    total = np.zeros((n, size[0], w, channels), exact)
    for row in range(tall):
        total += rows[:, :, row]
    columns = total.reshape(n, size[0], size[1], wide, channels)
    total = np.zeros((n, *size, channels), exact)
    for column in range(wide):
        total += columns[:, :, :, column]
    return total


def _lanczos(picture: UInt8[np.ndarray, "_ _ c"], size: Size) -> UInt8[np.ndarray, "_ _ c"]:
    """Pillow's antialiased Lanczos; it weighs colours by alpha on its own."""
    from PIL import Image

    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else np.ascontiguousarray(picture))
    resized = np.asarray(image.resize((size[1], size[0]), Image.Resampling.LANCZOS))
    return resized.reshape(*size, picture.shape[-1])


def _refusal(have: Size, want: Size, name: str) -> UserError:
    what = f"{name} is {written(have)}" if name else f"The pictures are {written(have)}"
    if have[0] * want[1] == have[1] * want[0]:
        return UserError(
            f"{what} (height x width), smaller than {written(want)}. Choose {written(have)} or less, "
            "or enlarge with --fit stretch."
        )
    return UserError(
        f"{what} (height x width) and cannot become {written(want)} without a change of shape. "
        "Say how: --fit crop (the middle), --fit pad (borders) or --fit stretch."
    )


def written(size: Size) -> str:
    """``32x48``: height x width."""
    return f"{size[0]}x{size[1]}"
