"""Flat colours of a picture, as a person would lay them on: one for each region, or without small structure.

The first needs regions (labels of every pixel); the second is the bilateral filter (Tomasi & Manduchi 1998,
https://doi.org/10.1109/ICCV.1998.710815), whose weights fall with the distance of places and of colours.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.shapes import Images


@torch.no_grad()
def region_medians(images: Images, regions: Int[Tensor, "n h w"]) -> Images:
    """Every pixel in the median colour of its region, channel by channel; of an even number the lower middle one."""
    flat = torch.empty_like(images)
    for picture, labels, out in zip(images, regions, flat, strict=True):
        for label in labels.unique():
            inside = labels == label
            out[:, inside] = picture[:, inside].median(1, keepdim=True).values
    return flat


@torch.no_grad()
def bilateral(images: Images, *, reach: int = 3, place: float = 2.0, colour: float = 0.2, times: int = 3) -> Images:
    """``sum w x / sum w`` with ``w = exp(-|i - j|^2 / 2 place^2 - |x_i - x_j|^2 / 2 colour^2)``, so many times.

    Args:
        images: In [-1, 1].
        reach: Of the window on each side, in pixels; the border is repeated.
        colour: Deviation of colours, in the unit of the pictures.
    """
    for _ in range(times):
        images = _filtered(images, reach, place, colour)
    return images


def _filtered(images: Images, reach: int, place: float, colour: float) -> Float[Tensor, "n c h w"]:
    height, width = images.shape[2:]
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    total, weights = torch.zeros_like(images), torch.zeros_like(images[:, :1])
    for y in range(2 * reach + 1):
        for x in range(2 * reach + 1):
            near = padded[:, :, y : y + height, x : x + width]
            apart = (near - images).square().sum(1, keepdim=True) / (2 * colour**2)
            away = ((y - reach) ** 2 + (x - reach) ** 2) / (2 * place**2)
            weight = torch.exp(-apart - away)
            total += weight * near
            weights += weight
    return total / weights
