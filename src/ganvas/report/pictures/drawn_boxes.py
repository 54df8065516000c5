"""Boxes drawn on pictures: outlines of whole pixels, which stay sharp however small the picture is."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.core.pixels import to_bytes, to_float

COLOURS = ((255, 64, 48), (255, 214, 64), (64, 190, 255))  # Of the first list of boxes, the second, the third.


def outlined(
    images: Float[Tensor, "n c h w"], boxes: Sequence[Sequence[Float[Tensor, "k 4"]]]
) -> Float[Tensor, "n 3 h w"]:
    """Pictures in [-1, 1] with lists of boxes, each list in a colour of its own.

    Args:
        images: Grey or colour.
        boxes: For each picture lists of boxes, left, top, right and bottom in pixels.
    """
    colour = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
    shown = []
    for pixels, lists in zip(to_bytes(colour).permute(0, 2, 3, 1).cpu().numpy(), boxes, strict=True):
        shown.append(torch.from_numpy(drawn_on(pixels, [one.cpu().numpy() for one in lists])))
    return to_float(torch.stack(shown).permute(0, 3, 1, 2).to(images.device))


def drawn_on(
    pixels: UInt8[np.ndarray, "h w 3"], boxes: Sequence[Float[np.ndarray, "k 4"]], *, thickness: int = 1
) -> UInt8[np.ndarray, "h w 3"]:
    """A copy with the outlines of lists of boxes; the first list lies on top, the first box of a list too."""
    out = pixels.copy()
    for corners, colour in reversed(list(zip(boxes, COLOURS, strict=False))):
        for box in corners[::-1]:
            _outline(out, box, colour, thickness)
    return out


def _outline(pixels: np.ndarray, box: np.ndarray, colour: tuple[int, int, int], thickness: int) -> None:
    height, width = pixels.shape[:2]
    left, top = (int(np.clip(np.floor(value), 0, side - 1)) for value, side in ((box[0], width), (box[1], height)))
    right, bottom = (int(np.clip(np.ceil(value), 1, side)) for value, side in ((box[2], width), (box[3], height)))
    for rows, columns in (
        (slice(top, top + thickness), slice(left, right)),
        (slice(max(bottom - thickness, 0), bottom), slice(left, right)),
        (slice(top, bottom), slice(left, left + thickness)),
        (slice(top, bottom), slice(max(right - thickness, 0), right)),
    ):
        pixels[rows, columns] = colour
