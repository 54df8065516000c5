"""DiffAugment: colour, shift and cutout of every picture that a discriminator sees, always, each with draws of its own.

Zhao, Liu, Lin, Zhu, Han: Differentiable Augmentation for Data-Efficient GAN Training (NeurIPS 2020),
https://arxiv.org/abs/2006.10738, section 3.2. Nothing is adapted: it helps with few pictures and can harm with many.
The formulas are those of the authors' code, for pictures in [-1, 1]; nothing is cut to that range afterwards.

Departs from the authors' code: of four channels the first three are colours, and the mean over channels is theirs
alone; of two the first. What follows, such as opacity, is shifted and cut out with the rest, to 0, the middle of its
range, and keeps its values otherwise.
"""

import torch
from jaxtyping import Int
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.shapes import Images, PerSample
from ganvas.nn.augment.random_rows import RandomRows

POLICIES = ("colour", "translation", "cutout")
SHIFT = 1 / 8  # Of a side: the largest shift.
CUTOUT = 1 / 2  # Of a side.

Whole = Int[Tensor, " n"]


def diff_augment(images: Images, rows: RandomRows, policies: tuple[str, ...] = POLICIES) -> Images:
    """The pictures under each policy in turn.

    Raises:
        UserError: a policy has another name than those of :data:`POLICIES`.
    """
    for policy in policies:
        if policy not in POLICIES:
            raise UserError(f"DiffAugment has no policy '{policy}'. Policies: {', '.join(POLICIES)}.")
        if policy == "colour":
            images = coloured(images, *rows.rand(3).unbind(1))
        elif policy == "translation":
            images = shifted(images, *_shifts(images, rows))
        else:
            images = cut_out(images, *_corners(images, rows))
    return images


def coloured(images: Images, brightness: PerSample, saturation: PerSample, contrast: PerSample) -> Images:
    """``x + b - 1/2``, then ``2 s (x - m) + m`` about each pixel's mean m over the colours, then
    ``(c + 1/2) (x - M) + M`` about the picture's mean M; b, s and c are uniform in [0, 1)."""
    b, s, c = (factor.view(-1, 1, 1, 1).to(images.dtype) for factor in (brightness, saturation, contrast))
    colours = 3 if images.shape[1] > 2 else 1
    x, rest = images[:, :colours] + (b - 0.5), images[:, colours:]
    grey = x.mean(1, keepdim=True)
    x = 2 * s * (x - grey) + grey
    mean = x.mean((1, 2, 3), keepdim=True)
    return torch.cat([(c + 0.5) * (x - mean) + mean, rest], 1)


def shifted(images: Images, down: Whole, right: Whole) -> Images:
    """``y[i, j] = x[i - down, j - right]``, and 0 where there is no such pixel."""
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device) - down[:, None]
    columns = torch.arange(width, device=images.device) - right[:, None]
    there = _within(rows, height)[:, :, None] & _within(columns, width)[:, None]
    index = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None]
    index = index.flatten(1).unsqueeze(1).expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, index).view(images.shape) * there.unsqueeze(1)


def cut_out(images: Images, top: Whole, left: Whole) -> Images:
    """0 in a box of half the height and half the width; its upper left corner may lie outside."""
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device) - top[:, None]
    columns = torch.arange(width, device=images.device) - left[:, None]
    inside = _within(rows, _part(height, CUTOUT))[:, :, None] & _within(columns, _part(width, CUTOUT))[:, None]
    return images * ~inside.unsqueeze(1)


def _shifts(images: Images, rows: RandomRows) -> tuple[Tensor, Tensor]:
    """Whole shifts, equally likely from ``-round(side / 8)`` to ``round(side / 8)``."""
    down, right = rows.rand(2).unbind(1)
    most = [_part(side, SHIFT) for side in images.shape[-2:]]
    return _below(2 * most[0] + 1, down) - most[0], _below(2 * most[1] + 1, right) - most[1]


def _corners(images: Images, rows: RandomRows) -> tuple[Tensor, Tensor]:
    """Corners of boxes whose middle is anywhere, equally likely, also on the border."""
    corners = []
    for side, place in zip(images.shape[-2:], rows.rand(2).unbind(1), strict=True):
        cut = _part(side, CUTOUT)
        corners.append(_below(side + 1 - cut % 2, place) - cut // 2)
    return corners[0], corners[1]


def _part(side: int, share: float) -> int:
    """A share of a side, rounded half up."""
    return int(side * share + 0.5)


def _below(count: int, uniform: PerSample) -> Whole:
    """Whole numbers below ``count``."""
    return (uniform * count).long().clamp_max(count - 1)


def _within(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places < size)
