"""A model's filling of one picture of any size: a window about the hole, its sides made multiples of the stride."""

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.shapes import OtherImages
from ganvas.data.holes.strokes import Drawn
from ganvas.losses.capabilities import Fills

Pixels = UInt8[np.ndarray, "h w c"]


@torch.no_grad()
def filled_picture(
    model: Fills, pixels: Pixels, drawn: Drawn, *, seed: int, context: int, device: torch.device
) -> Pixels:
    """The picture with its hole filled in; every other pixel as it was.

    Args:
        pixels: Grey or RGB, upright, as many channels as the model has.
        context: Pixels around the hole that the model sees; 0 is the whole picture.
    """
    rows, columns = window(drawn.hole, context)
    part, hole = pixels[rows, columns], drawn.hole[rows, columns]
    height, width = hole.shape
    padding = [(0, -side % model.stride) for side in hole.shape]
    images = to_float(_batch(np.pad(part, (*padding, (0, 0)), mode="symmetric"))).to(device)
    mask = 1 - _batch(np.pad(hole, padding, mode="symmetric")[..., None]).float().to(device)
    guide = _guide(model, drawn, (rows, columns), padding, channels=pixels.shape[2])
    rng = torch.Generator(device).manual_seed(seed)
    made = model.fill(images, mask, guide=None if guide is None else guide.to(device), rng=rng)
    filled = to_bytes(made)[0].permute(1, 2, 0).cpu().numpy()[:height, :width]
    whole = pixels.copy()
    whole[rows, columns][hole] = filled[hole]
    return whole


def window(hole: Bool[np.ndarray, "h w"], context: int) -> tuple[slice, slice]:
    """The rows and columns that the model sees: the hole's own and ``context`` more on each side; 0 is everything."""
    if not context:
        return slice(0, hole.shape[0]), slice(0, hole.shape[1])
    found = []
    for axis, size in ((1, hole.shape[0]), (0, hole.shape[1])):
        places = np.flatnonzero(hole.any(axis))
        found.append(slice(max(int(places[0]) - context, 0), min(int(places[-1]) + 1 + context, size)))
    return found[0], found[1]


def _guide(
    model: Fills, drawn: Drawn, part: tuple[slice, slice], padding: list[tuple[int, int]], *, channels: int
) -> OtherImages | None:
    """What was drawn, as channels that the model heeds; None where it heeds nothing."""
    planes: list[Tensor] = []
    if "sketch" in model.guides:
        planes.append(_plane(drawn.sketch[part], padding).float())
    if "colour" in model.guides:
        present = _plane(drawn.coloured[part], padding).float()
        colour = (
            drawn.colour[part] if channels == 3 else drawn.colour[part].mean(2, keepdims=True).round().astype(np.uint8)
        )
        wide = np.pad(colour, (*padding, (0, 0)), mode="symmetric")
        planes += [to_float(_batch(wide)) * present, present]
    return torch.cat(planes, 1) if planes else None


def _plane(plane: Bool[np.ndarray, "h w"], padding: list[tuple[int, int]]) -> Tensor:
    return _batch(np.pad(plane, padding, mode="symmetric")[..., None])


def _batch(pixels: np.ndarray) -> Tensor:
    """(h, w, c) as a batch of one."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
