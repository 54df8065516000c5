"""The triangle nearest to a picture, by least squares on its corners.

The light of a triangle is that of :func:`ganvas.data.triangles.coverage`. It is flat but for a band along the edges, so
that a search must start near: from corners that the light pixels suggest, and from the nearest of a bank of triangles.
"""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.seeds import stream
from ganvas.core.shapes import PerSample
from ganvas.data.triangles import LEAST_AREA, Triangles, area, coverage

NEAREST, JITTERED = 2, 6  # Searches from the nearest of the bank; and, where that found nothing, around what it found.
PIXELS = 1 << 18  # Of the pictures looked at together.
SHORT = 4  # Steps after which only the best search of a picture goes on.
FOUND = 0.1  # Distance below which a search has arrived.
JITTER_PX = 2.0

Grey = Float[Tensor, "n h w"]
Corners = Float[Tensor, "n 3 2"]  # (y, x) in pixels.


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Triangles from which searches start, as pictures and by their corners."""

    rows: Float[Tensor, "b p"]
    corners: Float[Tensor, "b 3 2"]
    jitter: Float[Tensor, "j 3 2"]  # Normal.


@functools.lru_cache(maxsize=8)
def bank(height: int, width: int, *, count: int, seed: int) -> Bank:
    """Drawn as the data set is, with a seed of its own."""
    drawn = Triangles(max(height, 8), max(width, 8), count=count, seed=derive_seed(seed, "bank"))
    corners = drawn.corners(torch.arange(count).numpy())
    corners = corners * [height / drawn.height, width / drawn.width]
    corners = corners.astype("float32")
    rows = torch.from_numpy(coverage(corners, height, width)).flatten(1)
    jitter = torch.randn(JITTERED, 3, 2, generator=stream(seed, "jitter"))
    return Bank(rows=rows, corners=torch.from_numpy(corners), jitter=jitter)


def distance(pictures: Grey, starts: Bank, *, steps: int) -> PerSample:
    """``min || x - triangle ||``, over triangles with corners in the picture and not much smaller than the data's."""
    few = max(1, PIXELS // pictures[0].numel()) if len(pictures) else 1
    parts = [_distance(part, starts, steps) for part in pictures.split(few)]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)


def light(corners: Corners, height: int, width: int) -> tuple[Grey, Float[Tensor, "n h w 3 2"]]:
    """What a triangle looks like, and how every pixel changes with the corners."""
    y, x = torch.arange(height) + 0.5, torch.arange(width) + 0.5
    onward = corners.roll(-1, 1) - corners
    turn = onward[:, 0, 0] * onward[:, 1, 1] - onward[:, 0, 1] * onward[:, 1, 0]
    sign = torch.where(turn < 0, -1.0, 1.0)[:, None, None]
    sides = [_side(corners[:, i], onward[:, i], sign, y, x) for i in range(3)]
    inside, which = torch.stack([side[0] for side in sides]).min(0)
    within = (inside > 0) & (inside < 1)
    change = torch.zeros(*inside.shape, 3, 2)
    for i, (_, from_first, from_next) in enumerate(sides):
        here = ((which == i) & within)[..., None]
        change[..., i, :] += here * from_first
        change[..., (i + 1) % 3, :] += here * from_next
    return inside.clamp(0, 1), change


def _side(first: Tensor, onward: Tensor, sign: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How far inside of one edge each pixel lies, plus a half, and its derivatives by the edge's two ends."""
    length = onward.norm(dim=1).clamp_min(1e-6)[:, None, None]
    down, across = (onward[:, i, None, None] for i in (0, 1))
    below, right = (axis - first[:, i, None, None] for i, axis in ((0, y[:, None]), (1, x)))
    depth = (down * right - across * below) * sign / length
    grown = depth / length  # The derivative by the length, but for its sign.
    to_next = torch.stack(
        torch.broadcast_tensors(sign * right - grown * down, -sign * below - grown * across), -1
    ) / length[..., None]  # fmt: skip
    by_point = torch.stack(torch.broadcast_tensors(sign * across, -sign * down), -1) / length[..., None]
    return depth + 0.5, by_point - to_next, to_next


def _distance(pictures: Grey, starts: Bank, steps: int) -> PerSample:
    near = _nearest(pictures, starts, NEAREST + JITTERED)
    first = torch.cat([_seen(pictures, instead=near[:, 0])[:, None], near[:, :NEAREST]], 1)
    corners, squared = _search(pictures, first, steps)
    lost = (squared > FOUND**2).nonzero().flatten()
    if len(lost):
        found = corners[lost, None] + JITTER_PX * starts.jitter
        size = torch.tensor([float(side) for side in pictures.shape[1:]])
        again = torch.cat([torch.minimum(found.clamp_min(0), size), near[lost, NEAREST:]], 1)
        squared[lost] = torch.minimum(squared[lost], _search(pictures[lost], again, steps)[1])
    return squared.double().sqrt()


def _search(pictures: Grey, starts: Float[Tensor, "n s 3 2"], steps: int) -> tuple[Corners, PerSample]:
    """The best of the searches from some starts; those that are behind after a few steps are given up."""
    n, count = starts.shape[:2]
    corners, squared = _descend(pictures.repeat_interleave(count, 0), starts.flatten(0, 1), min(steps, SHORT))
    best = squared.view(n, count).argmin(1) + torch.arange(n) * count
    return _descend(pictures, corners[best], max(0, steps - SHORT))


def _descend(pictures: Grey, corners: Corners, steps: int) -> tuple[Corners, PerSample]:
    """Levenberg-Marquardt: each search takes a step only where that brings it nearer, and else a shorter one."""
    n, height, width = pictures.shape
    damping = torch.full((n,), 1e-2)
    shown, change = light(corners, height, width)
    rest = pictures - shown
    for _ in range(steps):
        slopes = change.view(n, height * width, 6)
        normal = slopes.transpose(1, 2) @ slopes
        pull = (slopes.transpose(1, 2) @ rest.view(n, -1, 1))[..., 0]
        scale = normal.diagonal(dim1=1, dim2=2).clamp_min(1e-3)
        step = torch.linalg.solve(normal + torch.diag_embed(scale * damping[:, None] + 1e-6), pull).view(n, 3, 2)
        trial = torch.minimum((corners + step).clamp_min(0), torch.tensor([float(height), float(width)]))
        shown, trial_change = light(trial, height, width)
        trial_rest = pictures - shown
        nearer = (_squared(trial_rest) < _squared(rest)) & large_enough(trial, height, width)
        damping = torch.where(nearer, damping / 4, damping * 4).clamp(1e-6, 1e6)
        corners = torch.where(nearer[:, None, None], trial, corners)
        rest = torch.where(nearer[:, None, None], trial_rest, rest)
        change = torch.where(nearer[:, None, None, None, None], trial_change, change)
    return corners, _squared(rest)


def large_enough(corners: Corners, height: int, width: int) -> Bool[Tensor, " n"]:
    """Whether triangles are no smaller than half of the data set's smallest: a search must get past these."""
    return torch.from_numpy(area(corners.numpy())) >= LEAST_AREA * height * width / 2


def _nearest(pictures: Grey, starts: Bank, count: int) -> Float[Tensor, "n count 3 2"]:
    """Of the bank, nearest first; over again where it has not so many."""
    rows = pictures.flatten(1)
    apart = starts.rows.square().sum(1) - 2 * rows @ starts.rows.T
    order = apart.argsort(dim=1, stable=True)
    return starts.corners[order[:, torch.arange(count) % order.shape[1]]]


def _seen(pictures: Grey, *, instead: Corners) -> Corners:
    """Three light pixels: the farthest from their middle, the farthest from that, and the farthest from both."""
    height, width = pictures.shape[1:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    place = torch.stack([y, x], -1).view(-1, 2)
    weight = pictures.flatten(1) * (pictures.flatten(1) >= 0.5)
    none = torch.where(weight > 0, 0.0, -torch.inf)
    middle = (weight @ place) / weight.sum(1, keepdim=True).clamp_min(1e-6)
    first = place[((place - middle[:, None]).norm(dim=2) + none).argmax(1)]
    second = place[((place - first[:, None]).norm(dim=2) + none).argmax(1)]
    line = second - first
    to_line = (line[:, :1] * (place[:, 1] - first[:, 1:]) - line[:, 1:] * (place[:, 0] - first[:, :1])).abs()
    seen = torch.stack([first, second, place[(to_line + none).argmax(1)]], 1)
    return torch.where(large_enough(seen, height, width)[:, None, None], seen, instead)


def _squared(rest: Grey) -> PerSample:
    return rest.square().flatten(1).sum(1)
