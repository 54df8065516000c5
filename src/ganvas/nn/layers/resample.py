"""Halving and doubling of pictures: box average and nearest neighbour, the resampling of progressive growing.

``halve(double(x)) == x``: a fade between two resolutions starts exactly where the smaller network stood.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.shapes import Images, Scalar
from ganvas.nn.layers.operand_checks import need_pictures


def double(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2*h 2*w"]:
    """Nearest neighbour: every pixel becomes 2 x 2 of its colour."""
    return enlarge(x, 2)


def halve(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h//2 w//2"]:
    """Box average: every 2 x 2 pixels become their mean. Sides are even."""
    return shrink(x, 2)


def enlarge(x: Float[Tensor, "n c h w"], factor: int) -> Float[Tensor, "n c {factor}*h {factor}*w"]:
    """Nearest neighbour by a whole factor."""
    need_pictures(x)
    return x if factor == 1 else F.interpolate(x, scale_factor=float(factor), mode="nearest")


def shrink(x: Float[Tensor, "n c h w"], factor: int) -> Float[Tensor, "n c h//{factor} w//{factor}"]:
    """Box average by a whole factor.

    Raises:
        UserError: a side is not a multiple of the factor; the rest would be dropped in silence.
    """
    need_pictures(x)
    height, width = x.shape[2:]
    if height % factor or width % factor:
        raise UserError(
            f"A picture of {height} x {width} (height x width) cannot be shrunk {factor} times by averaging. "
            f"Crop or pad its sides to multiples of {factor}."
        )
    return x if factor == 1 else F.avg_pool2d(x, factor)


def staged(images: Images, *, shrink: int = 1, fade: float | Scalar | None = None) -> Float[Tensor, "n c h2 w2"]:
    """Pictures at a stage's size: box-averaged by ``shrink``, and blended with the resolution below.

    Reals fade as fakes do (Karras et al. 2018, figure 2): otherwise D tells them apart by their sharpness alone.
    """
    if shrink > 1:
        images = F.avg_pool2d(images, shrink)
    return images if fade is None else torch.lerp(double(halve(images)), images, fade)
