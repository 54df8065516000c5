"""Affine maps of pictures: pixel by pixel where pixels go onto pixels, else through a filtered refinement.

Karras et al. 2020 (ADA), https://arxiv.org/abs/2006.06676, appendix B. Maps are given inversely: from the place of an
output pixel to the place in the input that it is read from, in pixels from the middle. Beyond the border a picture
goes on as its mirror image.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Images
from ganvas.nn.augment.bilinear import bilinear
from ganvas.nn.augment.full_precision import full_precision
from ganvas.nn.augment.homogeneous import PlaneMaps
from ganvas.nn.augment.wavelet import PEAK, coarsening, mirrored_places, refined_period, refining

Plane = Float[Tensor, "n 2 h2 w2"]


def blit(images: Images, inverse: PlaneMaps) -> Images:
    """The pictures under maps that take pixels to pixels: every value is copied and none is computed.

    Where a map does not, the nearest pixel is taken.
    """
    height, width = images.shape[-2:]
    x, y = _sources(inverse, _centred(width, images), _centred(height, images)).unbind(1)
    column = mirrored_places((x + (width - 1) / 2).round().long(), width)
    row = mirrored_places((y + (height - 1) / 2).round().long(), height)
    index = (row * width + column).flatten(1).unsqueeze(1).expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, index).view(images.shape)


def warp(images: Images, inverse: PlaneMaps) -> Images:
    """The pictures under any affine maps: refined twice by sym6, read bilinearly, and brought back by sym6.

    Computed in float32 at least. A map by whole pixels gives what :func:`blit` gives, up to rounding; mirroring does
    not quite, as the filter is only nearly symmetric.

    Departs from the authors' code: the mirror images go on for ever, where theirs end in black behind the first one,
    which a picture that is shrunk by more than half can show.
    """
    height, width = images.shape[-2:]
    with full_precision(images.device):
        x = images.to(torch.promote_types(images.dtype, torch.float32)).contiguous()
        key = x.device, x.dtype
        fine = _on_side(x, refining(height, *key), refining(width, *key))
        sampled = bilinear(fine, _places(inverse.to(x.dtype), height, width))
        warped = _on_side(sampled, coarsening(width, *key), coarsening(height, *key))
        return warped.to(images.dtype)


def _on_side(images: Images, columns: Float[Tensor, "h2 h"], rows: Float[Tensor, "w2 w"]) -> Float[Tensor, "n c w2 h2"]:
    """The pictures with a linear map of every column and one of every row, laid on their side; twice, upright again.

    Both products then run over the last dimension, where they are quickest.
    """
    return (images @ rows.T).transpose(2, 3) @ columns.T


def _centred(size: int, like: Tensor) -> Float[Tensor, " size"]:
    """The places of the pixels of one side, from the middle."""
    return torch.arange(size, device=like.device) - (size - 1) / 2


def _refined(size: int, like: Tensor) -> Float[Tensor, " fine"]:
    """The refined places, in pixels from the middle, that the output of one side is brought back from."""
    count = coarsening(size, like.device, like.dtype).shape[1]
    places = torch.arange(-PEAK, count - PEAK, device=like.device, dtype=like.dtype)
    return places / 2 - (size - 1) / 2


def _sources(inverse: PlaneMaps, x: Float[Tensor, " w2"], y: Float[Tensor, " h2"]) -> Plane:
    """Where every output place is read from: (x, y) in pixels from the middle of the input."""
    x, y = x.to(inverse.dtype), y.to(inverse.dtype)
    columns, rows, ones = (inverse[:, :2, i, None, None] for i in range(3))
    return columns * x + rows * y[:, None] + ones


def _places(inverse: PlaneMaps, height: int, width: int) -> Float[Tensor, "n w2 h2 2"]:
    """Where every output place of pictures on their side is read from, as the sampler takes it: (y, x) in [-1, 1),
    from the first place of a period of the refined, mirrored picture to the first of the next."""
    x, y = _refined(width, inverse), _refined(height, inverse)
    turns = torch.stack([_turns(inverse[:, i], x, y, size) for i, size in ((1, height), (0, width))], 1)
    return (turns - turns.floor()).mul_(2).sub_(1).permute(0, 2, 3, 1)


def _turns(row: Float[Tensor, "n 3"], x: Float[Tensor, " w2"], y: Float[Tensor, " h2"], size: int) -> Tensor:
    """One coordinate of where every output place is read from, in periods, (n, w2, h2)."""
    of_x, of_y, first = (row * (2 / refined_period(size)))[:, :, None].unbind(1)
    start = first + (size - 1) / refined_period(size)
    return (of_x * x + start)[:, :, None] + (of_y * y)[:, None]
