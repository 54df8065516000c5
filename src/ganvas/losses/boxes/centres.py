"""Centres of boxes as maps, and back: what a detector without anchors learns (CSP, section 3).

Liu et al. 2019, https://arxiv.org/abs/1904.02948. A cell of the maps is ``stride`` pixels wide. A cell is positive
where the centre of a box lies in it; around it a Gaussian of the size of the box lowers what a wrong answer costs
(eq. 1 and 2). Sizes are logarithms in cells, offsets how far a centre lies from the middle of its cell.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganvas.core.boxes.box_kinds import IGNORED, OBJECT
from ganvas.core.shapes import PerSample
from ganvas.nn.layers.across_ranks import sums_by_count

REACH = 2  # Cells around a centre that learn the size: 5 by 5.
GAMMA, BETA = 2, 4  # Of the focal loss, and of what the Gaussian takes off (eq. 2).

Corners = Float[Tensor, "n m 4"]
Kinds = Int[Tensor, "n m"]
Cells = Float[Tensor, "n h w"]


@dataclass(frozen=True, kw_only=True)
class CentreTargets:
    """Maps that a network learns.

    Attributes:
        positive: Cells with a centre.
        near: In [0, 1], how near a cell is to a centre: the Gaussian.
        counted: Whether a wrong answer costs anything: not in ignored boxes, where no object is.
        sizes: Logarithm of height, or of height and width, in cells.
        sized: Cells that learn the size.
        offsets: From the middle of the cell to the centre, in cells: down, across.
    """

    positive: Bool[Tensor, "n h w"]
    near: Cells
    counted: Bool[Tensor, "n h w"]
    sizes: Float[Tensor, "n k h w"]
    sized: Bool[Tensor, "n h w"]
    offsets: Float[Tensor, "n 2 h w"]


@torch.no_grad()
def centre_targets(
    corners: Corners, kinds: Kinds, size: tuple[int, int], *, stride: int = 4, widths: bool = False
) -> CentreTargets:
    """The maps of boxes.

    Where two boxes claim a cell, the later one's size and offset count. Of a box whose centre lies within two cells of
    the upper or left border, the cells that are there learn the size; the authors' code learns none of them.

    Args:
        corners: Left, top, right, bottom in pixels.
        kinds: ABSENT, IGNORED or OBJECT.
        size: Height and width of the maps.
        stride: Pixels to a cell.
        widths: Whether widths are learnt beside heights.
    """
    boxes, is_object = corners / stride, kinds == OBJECT
    down, across = (torch.arange(side, device=corners.device) for side in size)
    x, y = (boxes[..., 0] + boxes[..., 2]) / 2, (boxes[..., 1] + boxes[..., 3]) / 2
    at_x, at_y = x.floor(), y.floor()
    far_x, far_y = (across - at_x[..., None]).abs(), (down - at_y[..., None]).abs()
    positive = _both(far_y == 0, far_x == 0, is_object)
    sized = _both(far_y <= REACH, far_x <= REACH, is_object)
    near_y, in_y = _bell(boxes[..., 1], boxes[..., 3], down)
    near_x, in_x = _bell(boxes[..., 0], boxes[..., 2], across)
    near = torch.where(is_object[..., None, None], near_y[..., :, None] * near_x[..., None, :], 0.0).amax(1)
    ignored = _both(
        _touched(boxes[..., 1], boxes[..., 3], down), _touched(boxes[..., 0], boxes[..., 2], across), kinds == IGNORED
    )
    counted = ~ignored.any(1) | _both(in_y, in_x, is_object).any(1) | positive.any(1)
    sides = [boxes[..., 3] - boxes[..., 1], boxes[..., 2] - boxes[..., 0]][: 1 + widths]
    return CentreTargets(
        positive=positive.any(1),
        near=near,
        counted=counted,
        sizes=_last(torch.stack([side.clamp_min(1e-3).log() for side in sides], -1), sized),
        sized=sized.any(1),
        offsets=_last(torch.stack([y - at_y - 0.5, x - at_x - 0.5], -1), positive),
    )


def _both(rows: Tensor, columns: Tensor, which: Bool[Tensor, "n m"]) -> Bool[Tensor, "n m h w"]:
    return rows[..., :, None] & columns[..., None, :] & which[..., None, None]


def _bell(low: Float[Tensor, "n m"], high: Float[Tensor, "n m"], cells: Tensor) -> tuple[Tensor, Tensor]:
    """A Gaussian over the whole cells ``ceil(low)`` to ``int(high) - 1``, 1 at the middle one, and where these are.

    Its deviation is ``0.3 ((k - 1) / 2 - 1) + 0.8`` for k cells, that of a Gaussian filter of k taps.
    """
    first, last = low.ceil()[..., None], high.floor()[..., None]
    count = (last - first).clamp_min(1)
    deviation = 0.3 * ((count - 1) / 2 - 1) + 0.8
    inside = (cells >= first) & (cells < last)
    away = cells - first - (count / 2).floor()
    return torch.where(inside, torch.exp(-away.square() / (2 * deviation.square())), 0.0), inside


def _touched(low: Float[Tensor, "n m"], high: Float[Tensor, "n m"], cells: Tensor) -> Tensor:
    return (cells >= low.floor()[..., None]) & (cells < high.ceil()[..., None])


def _last(values: Float[Tensor, "n m k"], where: Bool[Tensor, "n m h w"]) -> Float[Tensor, "n k h w"]:
    """The values of the last box that claims a cell; those of the first box where none does."""
    numbers = torch.arange(where.shape[1], device=where.device)[:, None, None]
    last = torch.where(where, numbers, 0).amax(1).flatten(1)
    chosen = values.transpose(1, 2).gather(2, last[:, None].expand(-1, values.shape[2], -1))
    return chosen.unflatten(2, where.shape[2:])


def centre_loss(logits: Cells, targets: CentreTargets) -> PerSample:
    """``- 1/K sum a (1 - p)^2 log p`` over cells, with p of the right answer and ``a = (1 - M)^4`` off centres (eq. 2).

    K is the number of centres in the whole batch, 1 at least: the mean over the batch is the paper's sum.
    """
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    wrong = torch.sigmoid(torch.where(targets.positive, -wide, wide))
    right = F.logsigmoid(torch.where(targets.positive, wide, -wide))
    weights = torch.where(targets.positive, 1.0, (1 - targets.near) ** BETA * targets.counted)
    return sums_by_count(-(weights * wrong**GAMMA * right), targets.positive)


def size_loss(found: Float[Tensor, "n k h w"], targets: CentreTargets) -> PerSample:
    """Smooth L1 of the *relative* error ``|t - s| / t`` of logarithms of sizes, over the cells that learn them."""
    relative = (targets.sizes - found).abs() / (targets.sizes.abs() + 1e-10)
    each = F.smooth_l1_loss(relative, torch.zeros_like(relative), reduction="none").sum(1)
    return sums_by_count(each * targets.sized, targets.sized)


def offset_loss(found: Float[Tensor, "n 2 h w"], targets: CentreTargets) -> PerSample:
    """Smooth L1 of offsets at centres."""
    each = F.smooth_l1_loss(found.to(targets.offsets.dtype), targets.offsets, reduction="none").sum(1)
    return sums_by_count(each * targets.positive, targets.positive)


def boxes_of_centres(
    sizes: Float[Tensor, "n k h w"], offsets: Float[Tensor, "n 2 h w"], *, stride: int = 4, aspect: float | None = None
) -> Float[Tensor, "n h w 4"]:
    """The box that every cell stands for, in pixels: the inverse of :func:`centre_targets` where a centre is.

    Args:
        aspect: Width by height, where widths are not learnt.
    """
    height = stride * sizes[:, 0].exp()
    width = height * aspect if aspect is not None else stride * sizes[:, 1].exp()
    rows, columns = (torch.arange(side, device=sizes.device) + 0.5 for side in sizes.shape[2:])
    y, x = stride * (rows[:, None] + offsets[:, 0]), stride * (columns + offsets[:, 1])
    return torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], -1)
