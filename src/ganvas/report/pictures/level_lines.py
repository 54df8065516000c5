"""Level lines of a function that is known on a grid, by marching squares: straight pieces from edge to edge of cells.

Lorensen & Cline 1987, Marching cubes, in two dimensions. A line crosses an edge of a cell where the values at its ends
lie on both sides of the level, at the place that a straight line between them says. Of a cell that is crossed four
times, a saddle, opposite corners are joined through its middle where the mean of the four values is on their side.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

Pieces = Float64[np.ndarray, "n 2 2"]  # Two ends (row, column) in cells.

_EDGES = ((0, 1), (1, 2), (2, 3), (3, 0))  # Between corners, which go around: (0,0), (0,1), (1,1), (1,0).
_CORNERS = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.float64)


def level_lines(values: Float64[np.ndarray, "h w"], level: float) -> Pieces:
    """The pieces of the line on which the function has the level.

    Args:
        values: Of the function at the places (row, column) of a grid; a cell with one that is not finite is left out.
    """
    corners = np.stack([values[:-1, :-1], values[:-1, 1:], values[1:, 1:], values[1:, :-1]], axis=2) - level
    above = corners > 0
    crossed = np.stack([above[..., a] != above[..., b] for a, b in _EDGES], axis=2)
    whole = np.asarray(np.isfinite(corners).all(2))
    pieces = [
        np.stack([_crossing(corners, at, first), _crossing(corners, at, second)], axis=1)
        for first, second, at in _joined(corners, above, crossed, whole)
    ]
    return np.concatenate(pieces) if pieces else np.empty((0, 2, 2))


def spread_levels(values: Float64[np.ndarray, "h w"], count: int) -> list[float]:
    """``count`` levels that cut the values into equally many; fewer where values are alike."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return []
    shares = (np.arange(count) + 0.5) / count
    return sorted({float(level) for level in np.quantile(finite, shares)} - {float(finite.min()), float(finite.max())})


def _joined(
    corners: np.ndarray, above: np.ndarray, crossed: np.ndarray, whole: np.ndarray
) -> Iterator[tuple[int, int, tuple[np.ndarray, ...]]]:
    """For each pair of edges that a piece joins: the two, and the cells in which it does."""
    twice = (crossed.sum(2) == 2) & whole
    for first in range(4):
        for second in range(first + 1, 4):
            yield first, second, np.nonzero(twice & crossed[..., first] & crossed[..., second])
    saddle = crossed.all(2) & whole
    with np.errstate(invalid="ignore"):
        through = (corners.mean(2) > 0) == above[..., 0]  # Corners 0 and 2 are joined: the pieces cut off 1 and 3.
    for cut_off, pairs in ((through, ((0, 1), (2, 3))), (~through, ((3, 0), (1, 2)))):
        for first, second in pairs:
            yield first, second, np.nonzero(saddle & cut_off)


def _crossing(corners: np.ndarray, at: tuple[np.ndarray, ...], edge: int) -> np.ndarray:
    """Where the line crosses an edge of some cells, (n, 2)."""
    start, end = _EDGES[edge]
    before, after = corners[*at, start], corners[*at, end]
    part = (before / (before - after))[:, None]
    return np.stack(at, axis=1) + _CORNERS[start] + part * (_CORNERS[end] - _CORNERS[start])
