"""Areas that boxes share. A box is left, top, right, bottom in any unit; one that is turned inside out has no area."""

import torch
from jaxtyping import Float
from torch import Tensor

Corners = Float[Tensor, "*n 4"]


def areas(boxes: Corners) -> Float[Tensor, "*n"]:
    """Width times height."""
    return (boxes[..., 2] - boxes[..., 0]).clamp_min(0) * (boxes[..., 3] - boxes[..., 1]).clamp_min(0)


def cut_at_borders(boxes: Corners, *, height: float, width: float) -> Corners:
    """What lies of boxes in a picture; the device is not waited for."""
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return torch.stack([x, y], -1).flatten(-2)


def shared_areas(first: Float[Tensor, "*#b k 4"], second: Float[Tensor, "*#b m 4"]) -> Float[Tensor, "*c k m"]:
    """The area that each box of one set has in common with each of another."""
    low = first[..., :, None, :2].maximum(second[..., None, :, :2])
    high = first[..., :, None, 2:].minimum(second[..., None, :, 2:])
    return (high - low).clamp_min(0).prod(-1)


def overlaps(first: Float[Tensor, "*#b k 4"], second: Float[Tensor, "*#b m 4"]) -> Float[Tensor, "*c k m"]:
    """Intersection over union; 0 where neither has an area."""
    shared = shared_areas(first, second)
    either = areas(first)[..., :, None] + areas(second)[..., None, :] - shared
    return shared / either.clamp_min(1e-12)


def covered_shares(first: Float[Tensor, "*#b k 4"], second: Float[Tensor, "*#b m 4"]) -> Float[Tensor, "*c k m"]:
    """The share of each first box that lies in each second one: how detections are held against ignored boxes."""
    return shared_areas(first, second) / areas(first)[..., :, None].clamp_min(1e-12)
