"""Parts of games that fill holes: pictures with holes, pictures made whole, and errors by region.

Masks are 1 where a picture is known and 0 in its hole. What is under a hole is chosen away and not multiplied by zero,
so that not even a nan in it spreads.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Images, Masks, PerSample


def with_hole(images: Images, mask: Masks, *, value: float = 0.0) -> Images:
    """The pictures with their holes in one colour.

    >>> with_hole(torch.tensor([[[[0.5, torch.nan]]]]), torch.tensor([[[[1.0, 0.0]]]]))
    tensor([[[[0.5000, 0.0000]]]])
    """
    return torch.where(mask > 0, images, torch.full((), value, dtype=images.dtype, device=images.device))


def made_whole(images: Images, mask: Masks, made: Images) -> Images:
    """What is known of the pictures, to the bit, and what was made in their holes."""
    return torch.where(mask > 0, images, made)


def region_error(made: Images, images: Images, region: Float[Tensor, "n 1 h w"]) -> PerSample:
    """``|region (made - images)|_1`` over the number of values of each whole picture (Liu et al. 2018, eq. 3 and 4)."""
    return ((made - images).abs() * region).flatten(1).mean(1)


def total_variation(images: Images, region: Float[Tensor, "n 1 h w"]) -> PerSample:
    """The absolute steps between neighbours that both lie in the region, over the number of values of each picture.

    A step of height a across n pixels in one channel is ``a n`` before that division (Liu et al. 2018, eq. 6).
    """
    across = (images[..., 1:] - images[..., :-1]).abs() * region[..., 1:] * region[..., :-1]
    down = (images[..., 1:, :] - images[..., :-1, :]).abs() * region[..., 1:, :] * region[..., :-1, :]
    return (across.flatten(1).sum(1) + down.flatten(1).sum(1)) / images[0].numel()
