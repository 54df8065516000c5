"""Pictures with boxes, zoomed and brightened at random: boxes follow what they are around."""

from dataclasses import replace

import torch
import torch.nn.functional as F

from ganvas.core.boxes.box_kinds import IGNORED, OBJECT
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.nn.boxes.overlap import areas, cut_at_borders

KEPT = 0.5  # The share of an object's box that must stay in the picture.
DARKEST = -1.0  # Black, in [-1, 1].


@torch.no_grad()
def zoomed(batch: BoxedPictures, zoom: tuple[float, float]) -> BoxedPictures:
    """Each picture enlarged by a factor between two and moved, at its own size; beyond its borders it is grey.

    A smaller picture lies anywhere inside the old one, a larger one shows any part of itself. Boxes are cut at the
    borders; an object of which less than half is left is ignored from then on.
    """
    if zoom == (1.0, 1.0):
        return batch
    low, high = zoom
    height, width = batch.images.shape[2:]
    factor = low * (high / low) ** batch.rand(1)  # As likely half as large as twice.
    free = (1 - factor) * batch.rand(2)  # Where the upper left corner comes to lie, of the picture's sides.
    middle = (2 * free + factor - 1) / factor  # The picture's middle in the sampling grid of the result.
    zero = torch.zeros_like(factor)
    rows = [torch.cat([1 / factor, zero, -middle[:, :1]], 1), torch.cat([zero, 1 / factor, -middle[:, 1:]], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(batch.images.shape), align_corners=False)
    images = F.grid_sample(batch.images, grid.to(batch.images.dtype), align_corners=False)
    corner = torch.stack([free[:, 0] * width, free[:, 1] * height], 1)
    moved = batch.corners * factor[:, None] + corner.repeat(1, 2)[:, None]
    cut = cut_at_borders(moved, height=height, width=width)
    lost = (batch.kinds == OBJECT) & (areas(cut) < KEPT * areas(moved))
    return replace(batch, images=images, corners=cut, kinds=torch.where(lost, IGNORED, batch.kinds))


@torch.no_grad()
def brightened(batch: BoxedPictures, brightness: tuple[float, float]) -> BoxedPictures:
    """Half of the pictures with all colours multiplied by a factor between two, cut at white."""
    if brightness == (1.0, 1.0):
        return batch
    low, high = brightness
    factor, coin = low + (high - low) * batch.rand(1, 1, 1), batch.rand(1, 1, 1)
    bright = ((batch.images - DARKEST) * factor + DARKEST).clamp_max(1)
    return replace(batch, images=torch.where(coin < 0.5, bright.to(batch.images.dtype), batch.images))
