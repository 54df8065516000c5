"""Maximum mean discrepancy of two sets of rows from tiles of their kernel matrices: machinery of KID and CMMD.

Gretton et al. 2012, section 2, and the variance of U-statistics (Hoeffding 1948). https://jmlr.org/papers/v13/gretton12a.html

With ``k`` the kernel, x and y drawn from the two distributions, the squared discrepancy is E k(x, x') + E k(y, y') -
2 E k(x, y). Its unbiased estimate U leaves out pairs of a picture with itself, the biased V takes them in. Hoeffding's
parts of U are uncorrelated, so its variance is exactly ::

    4/n var g(x) + 4/m var h(y) + 2 E k2(x, x')^2 / (n (n-1)) + 2 E k2(y, y')^2 / (m (m-1)) + 4 E k2(x, y)^2 / (n m)

with g(x) = E k(x, .) over the own set less that over the other, and k2 the doubly centred kernel. Each part is
estimated without bias, from the row sums and the sum of squares of the tiles alone.

Memory: a tile, and a float64 per row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.metrics.accumulators.feature_rows import FeatureRows

TILE = 320  # Rows of a tile, which stays in the processor's cache; of those on the diagonal half is computed twice.
READ = 512  # The same of rows that are read anew for every tile of the other side.
FEWEST = 4  # Rows of a side from which the parts of the variance can be told apart.

Tile = Any  # Rows (n, d), or what a kernel makes of them; it has their length.
Kernel = Callable[[Tile, Tile], Tensor]  # Of n and m rows -> (n, m)


@dataclass(frozen=True, kw_only=True)
class Rowset:
    """A set of rows that is read a tile at a time, from any tile on."""

    n: int
    step: int  # Rows of a tile.
    tiles: Callable[[int], Iterator[Tile]]


@dataclass(frozen=True, kw_only=True)
class Within:
    """Sums over pairs of different rows of one set."""

    rows: Float[Tensor, " n"]  # Of each row.
    squares: float
    diagonal: float  # Of each row with itself.


@dataclass(frozen=True, kw_only=True)
class Between:
    """Sums over pairs of a row of one set and one of the other."""

    rows: Float[Tensor, " n"]
    columns: Float[Tensor, " m"]
    squares: float


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Estimates of the discrepancy, and of the parts of its variance."""

    unbiased: float
    biased: float
    first_x: float  # var g(x)
    first_y: float  # var h(y)
    second_x: float  # E k2(x, x')^2
    second_y: float
    cross: float  # E k2(x, y)^2

    def variance(self, n: int, m: int) -> float:
        """Of the unbiased estimate from sets of n and m."""
        first = 4 / n * max(self.first_x, 0.0) + 4 / m * max(self.first_y, 0.0)
        own = 2 * max(self.second_x, 0.0) / (n * (n - 1)) + 2 * max(self.second_y, 0.0) / (m * (m - 1))
        return first + own + 4 * max(self.cross, 0.0) / (n * m)


def rowset(rows: Float[Tensor, "n d"], prepare: Callable[[Tensor], Tile] = lambda rows: rows) -> Rowset:
    """Rows in memory; ``prepare`` sees each tile once."""
    tiles = [prepare(some) for some in rows.split(TILE)]
    return Rowset(n=len(rows), step=TILE, tiles=lambda start: iter(tiles[start:]))


def kept(side: FeatureRows, prepare: Callable[[Tensor], Tile]) -> Rowset:
    """The rows of an accumulator by their place in the set, read tile by tile; ``prepare`` sees each of them."""
    places = side.tables["index"].all().long().argsort(stable=True)

    def tiles(start: int) -> Iterator[Tile]:
        for some in places[start * READ :].split(READ):
            yield prepare(side.tables["rows"].take(some))

    return Rowset(n=side.n, step=READ, tiles=tiles)


def discrepancy(x: Rowset, y: Rowset, kernel: Kernel) -> Parts:
    """All pairs of two sets."""
    return parts(within(x, kernel), within(y, kernel), between(x, y, kernel))


def within(x: Rowset, kernel: Kernel) -> Within:
    """Over half of the pairs: the kernel is symmetric."""
    rows, squares, diagonal = torch.zeros(x.n, dtype=torch.float64), 0.0, 0.0
    for i, left in enumerate(x.tiles(0)):
        here = slice(i * x.step, i * x.step + len(left))
        for j, right in enumerate(x.tiles(i), start=i):
            tile = kernel(left, right)
            if i == j:
                diagonal += float(tile.diagonal().sum(dtype=torch.float64))
                tile.fill_diagonal_(0)
            else:
                rows[j * x.step : j * x.step + len(right)] += tile.sum(0, dtype=torch.float64)
            rows[here] += tile.sum(1, dtype=torch.float64)
            squares += (1 if i == j else 2) * _squares(tile)
    return Within(rows=rows, squares=squares, diagonal=diagonal)


def between(x: Rowset, y: Rowset, kernel: Kernel) -> Between:
    rows, columns = (torch.zeros(side.n, dtype=torch.float64) for side in (x, y))
    squares = 0.0
    for i, left in enumerate(x.tiles(0)):
        for j, right in enumerate(y.tiles(0)):
            tile = kernel(left, right)
            rows[i * x.step : i * x.step + len(left)] += tile.sum(1, dtype=torch.float64)
            columns[j * y.step : j * y.step + len(right)] += tile.sum(0, dtype=torch.float64)
            squares += _squares(tile)
    return Between(rows=rows, columns=columns, squares=squares)


def parts(x: Within, y: Within, xy: Between) -> Parts:
    """What the sums say of the discrepancy; parts of the variance are nan below four rows a side."""
    n, m = len(x.rows), len(y.rows)
    total_x, total_y, total = float(x.rows.sum()), float(y.rows.sum()), float(xy.rows.sum())
    second_x, second_y, cross = _second(x), _second(y), _cross(xy)
    first_x, first_y = _first(x, xy.rows / m, second_x, cross / m), _first(y, xy.columns / n, second_y, cross / n)
    return Parts(
        unbiased=total_x / (n * (n - 1)) + total_y / (m * (m - 1)) - 2 * total / (n * m),
        biased=(total_x + x.diagonal) / n**2 + (total_y + y.diagonal) / m**2 - 2 * total / (n * m),
        first_x=first_x,
        first_y=first_y,
        second_x=second_x,
        second_y=second_y,
        cross=cross,
    )


def mean(found: list[Parts]) -> Parts:
    """Of several estimates of one thing."""
    return Parts(**{name: sum(getattr(one, name) for one in found) / len(found) for name in Parts.__annotations__})


def _squares(tile: Tensor) -> float:
    return float(torch.linalg.vecdot(tile, tile).sum(dtype=torch.float64))


def _first(x: Within, others: Float[Tensor, " n"], second: float, noise: float) -> float:
    """Variance over rows of their mean over the own set less that over the other, less what noise adds to it.

    A row's sum over the n - 1 others has its own part n - 2 times beside what all rows have in common.
    """
    n = len(x.rows)
    if n < FEWEST:
        return float("nan")
    return float(((x.rows - x.rows.mean()) / (n - 2) - others).var()) - second / (n - 2) - noise


def _second(x: Within) -> float:
    """``E k2(x, x')^2`` by U-centring (Székely and Rizzo 2014), from sums alone."""
    n = len(x.rows)
    if n < FEWEST:
        return float("nan")
    centred = x.rows - x.rows.mean()  # Small beside the sums themselves: keeps their digits.
    level = float(x.rows.mean()) / (n - 1)
    squares = x.squares - n * (n - 1) * level * level
    return (squares - 2 * float(centred.square().sum()) / (n - 2)) / (n * (n - 3))


def _cross(xy: Between) -> float:
    """``E k2(x, y)^2`` from the doubly centred matrix."""
    n, m = len(xy.rows), len(xy.columns)
    if min(n, m) < 2:
        return float("nan")
    rows, columns = xy.rows / m - xy.rows.sum() / (n * m), xy.columns / n - xy.columns.sum() / (n * m)
    level = float(xy.rows.sum()) / (n * m)
    left = xy.squares - n * m * level * level - m * float(rows.square().sum()) - n * float(columns.square().sum())
    return left / ((n - 1) * (m - 1))
