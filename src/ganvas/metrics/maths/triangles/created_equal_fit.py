"""The triangle of "Are GANs created equal" nearest to a picture, by least squares on its three angles.

The pictures are those of :mod:`ganvas.data.created_equal`. A search starts at the nearest of a bank of them, follows
the light of :func:`ganvas.metrics.maths.triangles.triangle_fit.light` by Levenberg and Marquardt's method, first on the
pixels and then on sixteen parts of each, and ends with the distance to the picture that the found angles have in the
data set.
"""

import functools
import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.shapes import PerSample
from ganvas.data.created_equal import (
    FIRST_DEGREES,
    FREE_DEGREES,
    RADIUS,
    TURN_DEGREES,
    CreatedEqualTriangles,
    corners_of,
    covered,
)
from ganvas.metrics.maths.triangles.triangle_fit import light

STARTS = 3  # Of the bank, for each picture.
SHORT = 8  # Steps on the pixels themselves.
FINE = 4  # Parts of a pixel's side, for the steps after.
FINE_STEPS = 6  # At most: with 14 in all the data set's own pictures are found to 0.17, with 25 no nearer.
TOGETHER = 1 << 17  # Pixels of the pictures looked at together.

Grey = Float[Tensor, "n s s"]
Angles = Float[Tensor, "n 3"]  # Degrees.


@functools.lru_cache(maxsize=8)
def _bank(side: int, count: int, seed: int) -> tuple[Float[Tensor, "b p"], Angles]:
    drawn = CreatedEqualTriangles(side, count=count, seed=derive_seed(seed, "bank"))
    angles = drawn.angles(torch.arange(count).numpy())
    return _as_drawn(torch.from_numpy(angles), side).flatten(1), torch.from_numpy(angles)


def distance(pictures: Grey, *, bank: int, steps: int, seed: int) -> PerSample:
    """``min || x - triangle ||`` over the triangles that the data set can have, in float64.

    Args:
        pictures: Square, in [0, 1].
        bank: Triangles from which searches start.
        steps: Of each search, as far as more of them help.
    """
    few = max(1, TOGETHER // pictures[0].numel()) if len(pictures) else 1
    parts = [_distance(part, bank, steps, seed) for part in pictures.split(few)]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)


def _distance(pictures: Grey, count: int, steps: int, seed: int) -> PerSample:
    n, side = len(pictures), pictures.shape[-1]
    rows, angles = _bank(side, count, seed)
    apart = rows.square().sum(1) - 2 * pictures.flatten(1) @ rows.T
    starts = angles[apart.topk(min(STARTS, count), dim=1, largest=False).indices]
    tried = starts.shape[1]
    found, squared = _descend(pictures.repeat_interleave(tried, 0), starts.flatten(0, 1), min(steps, SHORT), 1)
    best = squared.view(n, tried).argmin(1) + torch.arange(n) * tried
    found, _ = _descend(pictures, found[best], min(max(0, steps - SHORT), FINE_STEPS), FINE)
    nearest = (pictures - _as_drawn(found, side)).double().square().flatten(1).sum(1)
    return torch.minimum(nearest, (pictures - _as_drawn(starts[:, 0], side)).double().square().flatten(1).sum(1)).sqrt()


def _descend(pictures: Grey, angles: Angles, steps: int, fine: int) -> tuple[Angles, PerSample]:
    """Each search takes a step only where that brings it nearer and stays in the data set, else a shorter one."""
    damping = torch.full((len(pictures),), 1e-2)
    shown, change = _smooth(angles, pictures.shape[-1], fine)
    rest = pictures - shown
    for _ in range(steps):
        slopes = change.flatten(1, 2)
        normal = slopes.transpose(1, 2) @ slopes
        pull = (slopes.transpose(1, 2) @ rest.flatten(1)[..., None])[..., 0]
        scale = normal.diagonal(dim1=1, dim2=2).clamp_min(1e-6)
        step = torch.linalg.solve(normal + torch.diag_embed(scale * damping[:, None] + 1e-9), pull)
        trial = angles + step
        shown, trial_change = _smooth(trial, pictures.shape[-1], fine)
        nearer = (_squared(pictures - shown) < _squared(rest)) & possible(trial)
        damping = torch.where(nearer, damping / 4, damping * 4).clamp(1e-6, 1e6)
        angles = torch.where(nearer[:, None], trial, angles)
        rest = torch.where(nearer[:, None, None], pictures - shown, rest)
        change = torch.where(nearer[:, None, None, None], trial_change, change)
    return angles, _squared(rest)


def possible(angles: Angles) -> Tensor:
    """Whether a triangle of the data set has these angles: some common turn leaves each in its third."""
    offsets = angles - torch.tensor([0.0, 120.0, 240.0]) - FIRST_DEGREES
    low, high = offsets.amin(1), offsets.amax(1)
    return (low >= 0) & (high <= FREE_DEGREES + TURN_DEGREES) & (high - low <= FREE_DEGREES)


def _smooth(angles: Angles, side: int, fine: int) -> tuple[Grey, Float[Tensor, "n s s 3"]]:
    """What a triangle looks like, and how every pixel changes with its angles (per degree)."""
    turn = angles.deg2rad()
    reach = RADIUS * side * fine
    around = torch.stack([turn.cos(), turn.sin()], 2)
    onward = torch.stack([-turn.sin(), turn.cos()], 2) * math.pi / 180
    corners = reach * (around - around.mean(1, keepdim=True)) + side * fine / 2
    shown, change = light(corners, side * fine, side * fine)
    shared = (torch.eye(3) - 1 / 3)[None, :, :, None] * onward[:, None] * reach  # (n, corner, angle, yx).
    moved = torch.einsum("nhwcx,ncax->nhwa", change, shared)
    return 1 - F.avg_pool2d(shown[:, None], fine)[:, 0], -F.avg_pool2d(moved.movedim(3, 1), fine).movedim(1, 3)


def _as_drawn(angles: Angles, side: int) -> Grey:
    """As the data set draws it, in whole bytes."""
    white = 1 - torch.from_numpy(covered(corners_of(angles.numpy(), side), side))
    return (white * 255).round() / 255


def _squared(rest: Grey) -> PerSample:
    return rest.square().flatten(1).sum(1)
