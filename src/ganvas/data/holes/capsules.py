"""Capsules: lines of a width with round ends, drawn exactly at any size. Masks and strokes are made of them.

A pixel is covered where its centre lies within half a width of the line. No edge is softened, so that what is covered
is a set and not a matter of degree. Only sums, products, quotients and comparisons of float32 are used, which IEEE 754
rounds alike everywhere: the same strokes are the same bytes on every machine, which the lines of a drawing library do
not promise.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float32

Points = Sequence[tuple[float, float]]
Cover = Bool[np.ndarray, "h w"]
Ends = Float32[np.ndarray, "k 4"]  # Of segments: x and y of the start, x and y of the end.

AT_ONCE = 1 << 18  # Distances of segments from pixels that are computed together.


def cover_stroke(cover: Cover, points: Points, width: float, *, value: bool = True) -> None:
    """Sets the pixels of a stroke through ``points`` (x from the left, y from the top, in pixels) to ``value``.

    One point is a disc. The centre of the upper left pixel is at (0.5, 0.5).
    """
    corners = np.array(points, np.float32).reshape(-1, 2)
    starts, stops = (corners[:-1], corners[1:]) if len(corners) > 1 else (corners, corners)
    half = np.float32(width) / np.float32(2)
    for ends in _together(np.concatenate([starts, stops], axis=1), cover.size):
        rows = _within(ends[:, 1::2], width, cover.shape[0])
        columns = _within(ends[:, 0::2], width, cover.shape[1])
        if rows.start < rows.stop and columns.start < columns.stop:
            near = _squared_distances(_centres(columns), _centres(rows)[:, None], ends) <= half * half
            cover[rows, columns][near.any(0)] = value


def cover_rectangle(cover: Cover, left: int, top: int, width: int, height: int) -> None:
    """Sets the pixels of a rectangle; what lies outside of the picture is ignored."""
    cover[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = True


def _together(ends: Ends, pixels: int) -> Iterator[Ends]:
    """All segments at once in a small picture, one after the other, each in its own rectangle, in a large one."""
    step = max(1, AT_ONCE // max(pixels, 1))
    for first in range(0, len(ends), step):
        yield ends[first : first + step]


def _squared_distances(
    x: Float32[np.ndarray, " w"], y: Float32[np.ndarray, "h 1"], ends: Ends
) -> Float32[np.ndarray, "k h w"]:
    """From every pixel's centre to the nearest point of each segment; a segment without length is its start."""
    x0, y0, x1, y1 = (column[:, None, None] for column in ends.T)
    along_x, along_y = x1 - x0, y1 - y0
    length = along_x * along_x + along_y * along_y
    from_x, from_y = x - x0, y - y0
    share = (from_x * along_x + from_y * along_y) / np.where(length > 0, length, np.float32(1))
    share = np.minimum(np.maximum(share, np.float32(0)), np.float32(1))
    away_x, away_y = from_x - share * along_x, from_y - share * along_y
    return away_x * away_x + away_y * away_y


def _within(places: Float32[np.ndarray, "k 2"], width: float, size: int) -> slice:
    """The rows, or columns, that strokes of a width about these places can reach."""
    reach = width / 2 + 1
    low, high = np.floor(places.min() - reach), np.ceil(places.max() + reach)
    return slice(int(np.clip(low, 0, size)), int(np.clip(high, 0, size)))


def _centres(pixels: slice) -> Float32[np.ndarray, " n"]:
    return np.arange(pixels.start, pixels.stop, dtype=np.float32) + np.float32(0.5)
