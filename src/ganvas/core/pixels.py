"""Colour at the border and inside: bytes 0..255 outside, floats in [-1, 1] inside. The only place that converts."""

import torch

from ganvas.core.shapes import Bytes, Images


def to_float(pixels: Bytes) -> Images:
    """``x / 127.5 - 1``: 0 becomes -1 and 255 becomes 1."""
    return pixels.to(torch.float32) / 127.5 - 1


def to_bytes(images: Images) -> Bytes:
    """The nearest byte: ``clamp(round((x + 1) * 127.5), 0, 255)``, the inverse of :func:`to_float`.

    Rounding, not truncation: truncation would darken every picture by half a level on average.
    """
    return ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
