"""Colour at the border and inside: bytes 0..255 outside, floats in [-1, 1] inside. The only place that converts."""

import torch

from ganvas.core.shapes import Bytes, Images

COLOURS = 256  # Whole colours, 0 to 255 ...
LEVELS_PER_UNIT = 127.5  # ... and how many of them lie in a unit of [-1, 1].


def to_float(pixels: Bytes) -> Images:
    """``x / 127.5 - 1``: 0 becomes -1 and 255 becomes 1."""
    return pixels.to(torch.float32) / LEVELS_PER_UNIT - 1


def to_bytes(images: Images) -> Bytes:
    """The nearest byte: ``clamp(round((x + 1) * 127.5), 0, 255)``, the inverse of :func:`to_float`.

    Rounding, not truncation: truncation would darken every picture by half a level on average.
    """
    return ((images.float() + 1) * LEVELS_PER_UNIT).round().clamp(0, COLOURS - 1).to(torch.uint8)
