"""The triangles of "Are GANs created equal": black on white, a manifold of three dimensions. A built-in data set.

Lucic et al. 2018, Are GANs Created Equal? A Large-Scale Study, section 5 (https://arxiv.org/abs/1711.10337), by the
rules of the authors' code (https://github.com/google/compare_gan, tag v1), which differ from those of
:mod:`ganvas.data.triangles` so much that precision and recall of the two sets do not compare:

- corners lie on a circle, of radius 3/8 of the side (10.5 of 28 pixels), one in each third of it: at ``120 k + 10 + U``
  degrees for k = 0, 1, 2 and U uniform in [0, 110);
- all three are turned by up to 6.28 degrees (the code takes 0 to 2 pi for degrees), which moves a corner a little and
  adds nothing new: three angles say everything;
- the triangle is moved until the mean of its corners is the middle of the picture;
- a pixel is the mean of 8 x 8 sub-pixels, 0 inside and 255 outside.

Departs from the code: sub-pixels count by their centres. A picture is a pure function of (seed, index).
"""

import math
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from ganvas.core.errors import UserError
from ganvas.data.scenes.factors import mix, unit

SMALLEST_SIDE: Final = 8
RADIUS: Final = 3 / 8  # Of the side.
FIRST_DEGREES, FREE_DEGREES, TURN_DEGREES = 10.0, 110.0, 2 * math.pi
SUBPIXELS: Final = 8
CHUNK_PIXELS: Final = 1 << 16  # Painted at once.

Angles = Float32[np.ndarray, "n 3"]  # Of the corners, in degrees from downwards (the y axis) to the right.
Corners = Float32[np.ndarray, "n 3 2"]  # (y, x) in pixels: the picture's upper left corner is (0, 0).

_GOLDEN, _APART = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x2545F4914F6CDD1D)


class CreatedEqualTriangles:
    """``count`` triangles of one side and seed.

    >>> triangles = CreatedEqualTriangles(28, seed=1)
    >>> triangles.pictures(0, 5).shape, triangles.angles(np.arange(5)).shape
    ((5, 28, 28, 1), (5, 3))
    """

    def __init__(self, side: int = 28, *, count: int = 20000, seed: int = 0) -> None:
        if side < SMALLEST_SIDE:
            raise UserError(f"Triangles of {side}x{side} pixels cannot be drawn. The side is at least {SMALLEST_SIDE}.")
        if count < 1:
            raise UserError(f"count={count} triangles cannot be made. Ask for at least one.")
        self.side, self.count, self.seed = side, count, seed

    def __len__(self) -> int:
        return self.count

    def pictures(self, start: int, stop: int) -> UInt8[np.ndarray, "n h w 1"]:
        """The pictures ``start`` to ``stop - 1``."""
        if not 0 <= start <= stop <= self.count:
            raise UserError(f"Pictures {start} to {stop} are not among the {self.count} triangles.")
        images = np.empty((stop - start, self.side, self.side, 1), np.uint8)
        rows = max(1, CHUNK_PIXELS // self.side**2)
        for first in range(start, stop, rows):
            corners = corners_of(self.angles(np.arange(first, min(first + rows, stop))), self.side)
            white = 1 - covered(corners, self.side)
            images[first - start : first - start + len(white), ..., 0] = np.rint(white * 255)
        return images

    def angles(self, indices: Int64[np.ndarray, " n"]) -> Angles:
        """The truth about some pictures: where their corners stand on the circle."""
        start = mix(np.array([self.seed % 2**64], dtype=np.uint64) + _APART)
        key = mix(start ^ mix((indices.astype(np.uint64) + np.uint64(1)) * _GOLDEN))
        uniform = unit(mix(key[:, None] + (np.arange(4) + 1).astype(np.uint64) * _GOLDEN))
        within = np.float32(FREE_DEGREES) * uniform[:, :3] + np.float32(TURN_DEGREES) * uniform[:, 3:]
        return (within + np.array([0, 120, 240], np.float32) + np.float32(FIRST_DEGREES)).astype(np.float32)


def corners_of(angles: Angles, side: int) -> Corners:
    """The corners of triangles, moved so that their mean is the middle of the picture."""
    turn = np.deg2rad(angles)
    around = np.float32(RADIUS * side) * np.stack([np.cos(turn), np.sin(turn)], axis=2)
    return (around - around.mean(1, keepdims=True) + np.float32(side / 2)).astype(np.float32)


def covered(corners: Corners, side: int) -> Float32[np.ndarray, "n h w"]:
    """The share of every pixel's sub-pixels that lie inside."""
    fine = (np.arange(side * SUBPIXELS, dtype=np.float32) + np.float32(0.5)) / np.float32(SUBPIXELS)
    inside = np.ones((len(corners), len(fine), len(fine)), bool)
    onward = np.roll(corners, -1, axis=1) - corners
    turn = onward[:, 0, 0] * onward[:, 1, 1] - onward[:, 0, 1] * onward[:, 1, 0]
    sign = np.where(turn < 0, np.float32(-1), np.float32(1))
    for edge in range(3):
        down, across = onward[:, edge, 0] * sign, onward[:, edge, 1] * sign
        rows = down[:, None] * (fine - corners[:, edge, 1, None])
        columns = across[:, None] * (fine - corners[:, edge, 0, None])
        inside &= rows[:, None, :] >= columns[:, :, None]
    parts = inside.reshape(len(corners), side, SUBPIXELS, side, SUBPIXELS)
    return parts.mean((2, 4), dtype=np.float32)
