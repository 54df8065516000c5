"""Distances between sets of vectors by their projections onto directions: the floor under every sliced metric.

The vectors of one picture (its patches) are a cluster: they are drawn together, so error bars come from the spread
over pictures, never over patches. Memory: :data:`WORK_BYTES` beside the vectors, whatever their number.

The standard error is the infinitesimal jackknife. With ``F`` and ``G`` the distributions along one direction,
``W1 = E_F f - E_G f`` for the function ``f`` whose slope is ``sign(G - F)`` (Kantorovich's potential), and to first
order only the means of ``f`` move when pictures are drawn anew. So each picture has an influence, the mean of ``f``
over its patches and over the directions, and ``se^2 = var / n`` of the generated plus that of the real. What the
normalisation by the set's own mean and deviation adds is part of the influence. Where the two sets have one
distribution, W1 has no derivative and the figure is an upper bound.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.seeds import stream

WORK_BYTES = 256 << 20
EXPLAINED = 64  # Directions of which the influence of pictures is found.
CELLS = 1024  # Of the grid on which a potential is tabulated.

Directions = Float[Tensor, "k d"]
Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A set of vectors, a slab of pictures at a time, and the affine map that normalises them: ``(x - m) / s``."""

    slabs: Callable[[], Iterator[Tensor]]  # Each of shape (pictures, patches, d).
    mean: Float[Tensor, " d"]  # float64
    scale: Float[Tensor, " d"]  # float64
    pictures: int
    patches: int  # Per picture.

    @property
    def size(self) -> int:
        return self.pictures * self.patches

    def rows(self) -> Iterator[tuple[slice, Tensor]]:
        """Which vectors, and these as they are: (pictures * patches, d)."""
        start = 0
        for slab in self.slabs():
            flat = slab.flatten(0, 1)
            yield slice(start, start + len(flat)), flat
            start += len(flat)


@dataclass(frozen=True, kw_only=True)
class Influence:
    """How much each picture moves the distance, to first order, and through what.

    Rows are two halves of the explained directions: what pictures do along all directions shows in both, what they
    do along the few that were explained does not (:func:`variance`).
    """

    potential: Array  # (2, pictures): mean of f over the picture's patches and the directions.
    slope: Array  # (2, d): mean of f' u.
    stretch: Array  # (2, d): mean of f' u z, z the normalised vector.


@dataclass(frozen=True, kw_only=True)
class Slices:
    """W1 along each direction (float64), and the influence of each picture of either set."""

    distances: Array
    fake: Influence
    real: Influence
    explained: int  # Directions over which the influences are means.


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A potential on a grid: in cell ``c`` it is ``offset[c] + slope[c] * p``."""

    low: float
    width: float
    slope: Array
    offset: Array


def unit_directions(count: int, dimensions: int, *parts: int | str, seed: int) -> Directions:
    """Directions spread evenly over the sphere: normal vectors scaled to length 1 (float32)."""
    drawn = torch.randn(count, dimensions, generator=stream(seed, *parts))
    return drawn / drawn.norm(dim=1, keepdim=True)


def cloud(vectors: Float[Tensor, "n p d"]) -> Cloud:
    """Vectors in memory as they are: ``n`` pictures with ``p`` vectors each."""
    n, patches, dimensions = vectors.shape
    zero, one = torch.zeros(dimensions, dtype=torch.float64), torch.ones(dimensions, dtype=torch.float64)
    return Cloud(slabs=lambda: iter([vectors]), mean=zero, scale=one, pictures=n, patches=patches)


def wasserstein(fake: Cloud, real: Cloud, directions: Directions, *, explained: int = EXPLAINED) -> Slices:
    """``W1`` along each direction: the mean of ``|sorted fake - sorted real|`` (Karras et al. 2018, section 5).

    Args:
        directions: In the vectors' own precision, which is that of the projections; sums are float64.
        explained: Over how many directions, from the first, the influence of pictures is averaged.
    """
    assert fake.size == real.size, "W1 by sorting needs equally many vectors"
    explained = min(explained, len(directions))
    width = max(1, WORK_BYTES // (2 * fake.size * directions.element_size()))
    narrow = max(2, width // 4 * 2)  # Copies take as much again. Even, so that the halves are of all directions.
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        parts = [
            _explained_block(fake, real, directions[start : min(start + narrow, explained)], pool)
            for start in range(0, explained, narrow)
        ]
        rest = [
            _block(fake, real, directions[start : start + width], pool)
            for start in range(explained, len(directions), width)
        ]
    return Slices(
        distances=np.concatenate([distances for distances, _, _ in parts] + rest),
        fake=_mean([(len(distances), influence) for distances, influence, _ in parts]),
        real=_mean([(len(distances), influence) for distances, _, influence in parts]),
        explained=explained,
    )


def variance(influence: Float[np.ndarray, "2 n"], *, explained: int, directions: int) -> float:
    """Of the mean of ``n`` pictures' influences over all directions, from two halves of the explained ones.

    The covariance of the halves is what all directions share; the rest shrinks with their number.
    """
    a, b = influence - influence.mean(1, keepdims=True)
    n = len(a)
    shared, own = (a * b).sum() / (n - 1), ((a - b) ** 2).sum() / (n - 1) / 4
    return max(float(shared + own * explained / directions), 0.0) / n


def _block(fake: Cloud, real: Cloud, directions: Directions, pool: ThreadPoolExecutor) -> Array:
    x, y = _project(fake, directions), _project(real, directions)
    return np.array(list(pool.map(_sort_and_compare, *x, *y)))


def _explained_block(
    fake: Cloud, real: Cloud, directions: Directions, pool: ThreadPoolExecutor
) -> tuple[Array, Influence, Influence]:
    x, y = _project(fake, directions), _project(real, directions)
    unsorted_x, unsorted_y = (x[0].copy(), x[1]), (y[0].copy(), y[1])
    distances = np.array(list(pool.map(_sort_and_compare, *x, *y)))
    tables = list(pool.map(_potential, x[0], y[0]))
    return (
        distances,
        _influence(fake, unsorted_x, tables, directions, pool),
        _influence(real, unsorted_y, tables, directions, pool),
    )


def _project(side: Cloud, directions: Directions) -> tuple[Array, Array]:
    """Projections (k, pictures * patches), a contiguous row per direction for the sort, and what to subtract of each.

    The normalisation is in the directions: ``u . (x - m) / s = (u / s) . x - (u / s) . m``.
    """
    scaled = (directions.double() / side.scale).to(directions.dtype)
    out = torch.empty(len(directions), side.size, dtype=directions.dtype)
    for where, rows in side.rows():
        out[:, where] = scaled @ rows.to(directions.dtype).T
    return out.numpy(), (scaled.double() @ side.mean).numpy().astype(out.numpy().dtype)


def _sort_and_compare(x: Array, mean_x: np.floating, y: Array, mean_y: np.floating) -> float:
    """Centres and sorts both in place and returns their mean distance.

    numpy's sort is vectorised (torch's is not, on a CPU) and releases the interpreter, so that threads share the work.
    """
    x -= mean_x
    x.sort()
    y -= mean_y
    y.sort()
    return float(np.abs(x - y).sum(dtype=np.float64) / len(x))


def _potential(x: Array, y: Array) -> _Table:
    low, high = float(min(x[0], y[0])), float(max(x[-1], y[-1]))
    edges = np.linspace(low, high, CELLS + 1)
    ahead = np.searchsorted(y, edges.astype(y.dtype)) - np.searchsorted(x, edges.astype(x.dtype))  # n (G - F)
    slope = np.sign(ahead[:-1] + ahead[1:]).astype(np.float64)
    width = (high - low) / CELLS
    at_start = (np.cumsum(slope) - slope) * width
    return _Table(
        low=low, width=width, slope=slope.astype(x.dtype), offset=(at_start - slope * edges[:-1]).astype(x.dtype)
    )


def _influence(
    side: Cloud, projected: tuple[Array, Array], tables: list[_Table], directions: Directions, pool: ThreadPoolExecutor
) -> Influence:
    def evaluate(row: Array, mean: np.floating, table: _Table) -> Array:
        """The mean of ``f`` over each picture's patches; ``f'`` takes the place of the projections."""
        if table.width == 0:
            row[:] = 0
            return np.zeros(side.pictures)
        row -= mean
        cells = ((row - row.dtype.type(table.low)) * row.dtype.type(1 / table.width)).astype(np.int32)
        np.clip(cells, 0, CELLS - 1, out=cells)
        slopes = table.slope.take(cells)
        row *= slopes
        row += table.offset.take(cells)
        means = row.reshape(side.pictures, -1).mean(1, dtype=np.float64)
        row[:] = slopes
        return means

    potentials = np.stack(list(pool.map(evaluate, *projected, tables)))
    slopes, moment = torch.from_numpy(projected[0]), torch.zeros(directions.shape, dtype=torch.float64)
    for where, rows in side.rows():
        moment += slopes[:, where] @ rows.to(directions.dtype)
    slope = slopes.mean(1, keepdim=True).double()
    moment = (moment / side.size - slope * side.mean) / side.scale  # Mean of f' z.
    return Influence(
        potential=_halves(potentials),
        slope=_halves((slope * directions).numpy()),
        stretch=_halves((moment * directions).numpy()),
    )


def _halves(rows: Array) -> Array:
    """Means over the even and over the odd rows; a single row is both."""
    return np.stack([rows[::2].mean(0), rows[min(1, len(rows) - 1) :: 2].mean(0)])


def _mean(parts: list[tuple[int, Influence]]) -> Influence:
    """Of blocks with so many directions each."""
    weights = np.array([count for count, _ in parts]) / sum(count for count, _ in parts)
    return Influence(
        potential=np.tensordot(weights, np.stack([part.potential for _, part in parts]), 1),
        slope=np.tensordot(weights, np.stack([part.slope for _, part in parts]), 1),
        stretch=np.tensordot(weights, np.stack([part.stretch for _, part in parts]), 1),
    )
