"""Anchors: boxes laid over a picture that learn whether they fit and how to move. What CSP does without.

Lin et al. 2017, Focal Loss for Dense Object Detection (RetinaNet), https://arxiv.org/abs/1708.02002. At every cell
stand boxes of several heights. One that overlaps an object by half is positive, one that overlaps none by 0.4 is
negative, what lies between says nothing; every object has at least the anchor that overlaps it most.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganvas.core.boxes.box_kinds import IGNORED, OBJECT
from ganvas.core.shapes import PerSample
from ganvas.nn.boxes.overlap import covered_shares, overlaps
from ganvas.nn.layers.across_ranks import sums_by_count

POSITIVE, NEGATIVE = 0.5, 0.4  # Overlaps.
RATIO = 1.6  # Of the heights of two neighbouring anchors.
ALPHA, GAMMA = 0.25, 2  # Of the focal loss: the paper's.


@dataclass(frozen=True, kw_only=True)
class AnchorTargets:
    """What each of the anchors of each picture learns."""

    positive: Bool[Tensor, "n a"]
    counted: Bool[Tensor, "n a"]
    moves: Float[Tensor, "n a 4"]  # Across and down in sides of the anchor, logarithms of width and height.


def laid_anchors(
    size: tuple[int, int], *, stride: int, least_height: float, heights: int, aspect: float, device: torch.device
) -> Float[Tensor, "a 4"]:
    """The anchors of maps of a height and a width, in pixels: cell by cell, from the lowest to the tallest."""
    tall = least_height * RATIO ** torch.arange(heights, device=device)
    half = torch.stack([aspect * tall, tall], -1) / 2
    down, across = ((torch.arange(side, device=device) + 0.5) * stride for side in size)
    middle = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)[:, :, None]
    return torch.cat([middle - half, middle + half], -1).reshape(-1, 4)


@torch.no_grad()
def anchor_targets(
    anchors: Float[Tensor, "a 4"], corners: Float[Tensor, "n m 4"], kinds: Int[Tensor, "n m"]
) -> AnchorTargets:
    """Which object each anchor is for, and how it would have to move."""
    is_object = kinds == OBJECT
    table = overlaps(anchors.to(corners.dtype), corners) * is_object[:, None]
    best, whose = table.max(2)
    forced = (table == table.amax(1, keepdim=True)) & (table > 0)
    positive = (best >= POSITIVE) | forced.any(2)
    whose = torch.where(best >= POSITIVE, whose, forced.to(torch.int8).argmax(2))
    covered = covered_shares(anchors.to(corners.dtype), corners) * (kinds == IGNORED)[:, None]
    counted = positive | ((best < NEGATIVE) & (covered.amax(2) < POSITIVE))
    own = corners.gather(1, whose[..., None].expand(-1, -1, 4))
    return AnchorTargets(positive=positive, counted=counted, moves=_moves(anchors, own))


def _moves(anchors: Float[Tensor, "a 4"], boxes: Float[Tensor, "n a 4"]) -> Float[Tensor, "n a 4"]:
    sides = anchors[:, 2:] - anchors[:, :2]
    middle, other = (anchors[:, 2:] + anchors[:, :2]) / 2, (boxes[..., 2:] + boxes[..., :2]) / 2
    grown = ((boxes[..., 2:] - boxes[..., :2]).clamp_min(1e-3) / sides).log()
    return torch.cat([(other - middle) / sides, grown], -1)


def moved_anchors(anchors: Float[Tensor, "a 4"], moves: Float[Tensor, "n a 4"]) -> Float[Tensor, "n a 4"]:
    """The boxes that anchors become: the inverse of what :func:`anchor_targets` asks for."""
    sides = anchors[:, 2:] - anchors[:, :2]
    middle = (anchors[:, 2:] + anchors[:, :2]) / 2 + moves[..., :2] * sides
    half = sides * moves[..., 2:].exp() / 2
    return torch.cat([middle - half, middle + half], -1)


def focal_loss(logits: Float[Tensor, "n a"], targets: AnchorTargets) -> PerSample:
    """``- alpha_t (1 - p_t)^2 log p_t`` over anchors, by the number of positive ones in the whole batch (eq. 5)."""
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    right = torch.where(targets.positive, wide, -wide)
    weights = torch.where(targets.positive, ALPHA, 1 - ALPHA) * targets.counted
    return sums_by_count(-weights * torch.sigmoid(-right) ** GAMMA * F.logsigmoid(right), targets.positive)


def move_loss(moves: Float[Tensor, "n a 4"], targets: AnchorTargets) -> PerSample:
    """Smooth L1 of the moves of positive anchors."""
    each = F.smooth_l1_loss(moves.to(targets.moves.dtype), targets.moves, reduction="none").sum(2)
    return sums_by_count(each * targets.positive, targets.positive)
