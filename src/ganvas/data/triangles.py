"""Triangles: white polygons on black, the pictures of a manifold that is known. A built-in data set.

Lucic et al. 2018, Are GANs Created Equal? A Large-Scale Study, section 5. https://arxiv.org/abs/1711.10337

A picture is its six numbers, the corners of a triangle, and nothing else. So the distance of any picture to the nearest
triangle can be found, and precision and recall of a model be measured instead of guessed (``ganvas measure --metrics
polygons``). A picture is a pure function of (seed, index): the same bytes alone or in a batch, on any machine.

Corners are spread evenly over the picture, and triangles of less than a sixteenth of its area are drawn anew. A pixel
is as light as its centre lies inside: from 0, half a pixel outside the nearest edge, to 1, half a pixel inside.
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Int64, UInt8, UInt64

from ganvas.core.errors import UserError
from ganvas.core.hashes.splitmix import mix
from ganvas.data.scenes.factors import unit

SMALLEST_SIDE: Final = 8
LEAST_AREA: Final = 1 / 16  # Of the picture's. A corner drawn anew is as good as the first.
ATTEMPTS: Final = 32  # Fewer than one triangle in a billion is still too small after these; the last one counts.
CHUNK_PIXELS: Final = 1 << 18  # Painted at once.

Corners = Float32[np.ndarray, "n k 2"]  # (y, x) in pixels: the picture's upper left corner is (0, 0).

_GOLDEN, _APART = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xDAA66D2C7DDF743F)


class Triangles:
    """``count`` triangles of one size and seed.

    >>> triangles = Triangles(28, 28, seed=1)
    >>> triangles.pictures(0, 5).shape, triangles.corners(np.arange(5)).shape
    ((5, 28, 28, 1), (5, 3, 2))
    """

    def __init__(self, height: int = 28, width: int = 28, *, count: int = 20000, seed: int = 0) -> None:
        if min(height, width) < SMALLEST_SIDE:
            raise UserError(
                f"Triangles of {height}x{width} pixels cannot be drawn. The shorter side must be at least "
                f"{SMALLEST_SIDE}."
            )
        if count < 1:
            raise UserError(f"count={count} triangles cannot be made. Ask for at least one.")
        self.height, self.width, self.count, self.seed = height, width, count, seed

    def __len__(self) -> int:
        return self.count

    def pictures(self, start: int, stop: int) -> UInt8[np.ndarray, "n h w 1"]:
        """The pictures ``start`` to ``stop - 1``."""
        if not 0 <= start <= stop <= self.count:
            raise UserError(
                f"Pictures {start} to {stop} are not among the {self.count} triangles. "
                f"Ask for 0 <= start <= stop <= {self.count}, or make Triangles with a larger count."
            )
        images = np.empty((stop - start, self.height, self.width, 1), np.uint8)
        rows = max(1, CHUNK_PIXELS // (self.height * self.width))
        for first in range(start, stop, rows):
            corners = self.corners(np.arange(first, min(first + rows, stop)))
            light = coverage(corners, self.height, self.width)
            images[first - start : first - start + len(light), ..., 0] = (light * 255 + np.float32(0.5)).astype(
                np.uint8
            )
        return images

    def corners(self, indices: Int64[np.ndarray, " n"]) -> Corners:
        """The truth about some pictures: the corners of their triangles."""
        key = _key(self.seed, indices)
        size = np.array([self.height, self.width], np.float32)
        corners = np.zeros((len(indices), 3, 2), np.float32)
        waiting = np.ones(len(indices), dtype=bool)
        for attempt in range(ATTEMPTS):
            steps = (np.arange(6) + 1 + 6 * attempt).astype(np.uint64) * _GOLDEN
            corners[waiting] = unit(mix(key[waiting, None] + steps)).reshape(-1, 3, 2)
            waiting[waiting] = area(corners[waiting]) < LEAST_AREA
            if not waiting.any():
                break
        return corners * size


def area(corners: Corners) -> Float32[np.ndarray, " n"]:
    """Of triangles, by the cross product of two edges.

    >>> float(area(np.array([[[0, 0], [0, 2], [3, 0]]], np.float32))[0])
    3.0
    """
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / np.float32(2)


def coverage(corners: Corners, height: int, width: int) -> Float32[np.ndarray, "n h w"]:
    """How light every pixel of convex polygons is: how far its centre lies inside the nearest edge, plus a half."""
    y, x = np.arange(height, dtype=np.float32) + np.float32(0.5), np.arange(width, dtype=np.float32) + np.float32(0.5)
    light = np.ones((len(corners), height, width), np.float32)
    onward = np.roll(corners, -1, axis=1) - corners
    turn = onward[:, 0, 0] * onward[:, 1, 1] - onward[:, 0, 1] * onward[:, 1, 0]
    for side in range(corners.shape[1]):
        down, across = onward[:, side, 0], onward[:, side, 1]
        length = np.sqrt(down * down + across * across)
        inward = np.where(turn < 0, np.float32(-1), np.float32(1)) / np.maximum(length, np.float32(1e-6))
        rows = (down * inward)[:, None] * (x - corners[:, side, 1, None])
        columns = (across * inward)[:, None] * (y - corners[:, side, 0, None])
        inside = rows[:, None, :] - columns[:, :, None] + np.float32(0.5)
        np.minimum(light, inside, out=light)
    return np.maximum(light, np.float32(0))


def _key(seed: int, indices: Int64[np.ndarray, " n"]) -> UInt64[np.ndarray, " n"]:
    """A stream of its own for every (seed, index); not that of the scenes."""
    start = mix(np.array([seed % 2**64], dtype=np.uint64) + _APART)
    return mix(start ^ mix((indices.astype(np.uint64) + np.uint64(1)) * _GOLDEN))
