"""Nearest neighbours and balls around them, exact and tile by tile: the floor under every metric of neighbourhoods.

Most pairs are far apart, and single precision is enough to see that. So each tile of squared distances is one product
of float32 matrices, and a bound on its rounding is taken off. What lies below a threshold even so is a handful of
pairs, and of those the close calls are decided by the distance proper, ``sum (a - b)^2`` in float64. The answers are
those of float64 at the price of float32: equal rows have distance 0, equal distances compare as equal, and the test of
a ball (``<=``) agrees with the radius it came from.

Where features repeat or lie on a grid, close calls can be too many to be decided one by one. Such a tile is done over
in float64, and what differs from the threshold by less than the rounding of that (1e-12 at 2048 values a row) counts
as inside.

Memory: blocks of :data:`ROWS` and :data:`COLUMNS` rows and one tile between them (130 MB at 2048 values per row), 24
bytes per row and neighbour while they are searched for and 16 after it, and the pairs of a tile that lie within its
balls. The rows may lie on the disk.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from math import frexp

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.maths import matmul

ROWS, COLUMNS = 4096, 512  # Of a tile.
SPARE = 4  # Neighbours kept beyond those asked for, because float32 does not order them for certain.
DENSE = 1 / 64  # Of a tile's pairs. Where more than this are close calls, the tile is done over in float64.
CHUNK = 1 << 19  # Numbers gathered at a time for distances proper.
SINGLE, DOUBLE = 2.0**-24, 2.0**-53  # Half a unit in the last place of 1.
TINY = 1e-37  # Beside the largest value, 1, this is nothing; it stands above float32's smallest number.
HUGE = 1e200  # Features beyond this are not added up.

Radii = Float64[Tensor, " n"]  # Squared, in the frame's unit.
Places = Int64[Tensor, " _"]
Done = Callable[[float], None]  # Is told how many rows are done with.


class SearchedRows:
    """One of some sets of rows that share a frame: :func:`together` makes them.

    Distances are in units of ``scale``, a power of two of about the largest value, so that no square overflows or
    vanishes and nothing is rounded.
    """

    def __init__(self, take: Callable[[Tensor], Tensor], n: int, *, shift: Float64[Tensor, " d"], scale: float) -> None:
        self._take, self.n, self.shift, self.scale = take, n, shift, scale

    def exact(self, places: Places) -> Float64[Tensor, "_ d"]:
        """Rows as they are, in units of ``scale``."""
        return self._take(places).double().mul_(1 / self.scale)

    def centred(self, places: Places, dtype: torch.dtype) -> Float[Tensor, "_ d"]:
        """Rows less the common shift, each value rounded once."""
        rows = self._take(places)
        wide = torch.promote_types(rows.dtype, dtype)
        return (rows.to(wide) * (1 / self.scale)).sub_(self.shift.to(dtype)).to(dtype)

    def blocks(self, size: int, *, first: int = 0) -> Iterator[Places]:
        """Places from ``first`` on, ``size`` at a time."""
        yield from torch.arange(first, self.n).split(size)


@dataclass(frozen=True, kw_only=True)
class Balls:
    """A ball around each row that reaches to its k-th nearest other row, and the neighbourhood that it lies in."""

    k: int
    squared: Float64[Tensor, "n wide"]  # Of the nearest, in rising order: exact at k, within float32's reach elsewhere.
    places: Int64[Tensor, "n wide"]  # -1, and ``inf`` for the distance, where there are no more rows.

    @property
    def radius(self) -> Radii:
        """Squared."""
        return self.squared[:, self.k - 1]


@dataclass(frozen=True, kw_only=True)
class Within:
    """Pairs, and their squared distances: so exact that comparisons with the radii are right."""

    rows: Int64[Tensor, " pairs"]
    columns: Int64[Tensor, " pairs"]
    squared: Float64[Tensor, " pairs"]


def together(*sets: FeatureRows | Float[Tensor, "_ d"]) -> list[SearchedRows]:
    """Sets of rows in one frame: the accumulators' by their places in the set, or those of tensors."""
    takers = [_taker(rows) for rows in sets]
    largest, count = 0.0, 0
    total = torch.zeros(takers[0][0](torch.zeros(1, dtype=torch.int64)).shape[1], dtype=torch.float64)
    for take, n in takers:
        for places in torch.arange(n).split(ROWS):
            rows = take(places)
            least, most = (float(end) for end in rows.aminmax())
            if not (-torch.inf < least and most < torch.inf):
                raise UserError(
                    "Some features are not finite numbers, so that nothing has a distance. Check the network that "
                    "they came from, and its weights."
                )
            largest = max(largest, -least, most)
            if largest <= HUGE:
                total = total + rows.sum(0, dtype=torch.float64)
            count += len(rows)
    scale = 2.0 ** min(frexp(largest)[1], 1023) if largest else 1.0
    shift = total / count / scale if largest <= HUGE else torch.zeros_like(total)
    return [SearchedRows(take, n, shift=shift, scale=scale) for take, n in takers]


def balls(x: SearchedRows, *, k: int, wide: int = 0, done: Done | None = None) -> Balls:
    """The ball around each row: the squared distance to its k-th nearest other row.

    Args:
        wide: How many neighbours to keep, where more than k.
        done: Is told how many rows are done with.
    """
    squared, places = _nearest(x, x, rank=k, kept=max(k, wide), done=done)
    return Balls(k=k, squared=squared, places=places)


def nearest(
    x: SearchedRows, y: SearchedRows, *, wide: int = 1, done: Done | None = None
) -> tuple[Float64[Tensor, "n wide"], Int64[Tensor, "n wide"]]:
    """Squared distances of each row of ``x`` to the nearest rows of ``y`` (of one set: to others of it), and places.

    The first is exact; those after it are within float32's reach.
    """
    return _nearest(x, y, rank=1, kept=wide, done=done)


def within(
    x: SearchedRows, y: SearchedRows, around_x: Balls, around_y: Balls | None = None, *, done: Done | None = None
) -> Iterator[Within]:
    """Every pair that lies in the neighbourhood (all of :class:`Balls`, beyond k) of either of its rows."""
    for rows, columns in _tiles(x, y):
        tile = _Tile(x, y, rows, columns)
        inside = tile.low <= _up(around_x.squared[rows.places, -1])[:, None]
        if around_y is not None:
            inside |= tile.low <= _up(around_y.squared[columns.places, -1])[None, :]
        row, column = inside.nonzero(as_tuple=True)
        thresholds = [around_x.radius[rows.places[row]]]
        if around_y is not None:
            thresholds.append(around_y.radius[columns.places[column]])
        squared = tile.decide(row, column, thresholds)
        yield Within(rows=rows.places[row], columns=columns.places[column], squared=squared)
        if done is not None:
            done(int(rows.places[0]) + len(rows.places) * (int(columns.places[-1]) + 1) / y.n)


def distances(x: SearchedRows, y: SearchedRows, rows: Tensor, columns: Tensor) -> Float64[Tensor, " pairs"]:
    """``sum (a - b)^2`` of pairs, in float64."""
    if not len(rows):
        return torch.empty(0, dtype=torch.float64)
    step = max(1, CHUNK // max(1, len(x.shift)))
    parts = zip(rows.split(step), columns.split(step), strict=True)
    return torch.cat([x.exact(row).sub_(y.exact(column)).square_().sum(1) for row, column in parts])


class _Block:
    """Some rows in float32, centred, as a factor of a product that gives squared distances less the slack.

    ``(x, |x|^2, 1) . (-2 y, 1, |y|^2) = |x - y|^2``. A sum of d products is off by at most d roundings of the sum of
    their sizes, in whatever order it was taken (Higham 2002, Accuracy and Stability of Numerical Algorithms, section
    3.1), and that sum is at most ``|x|^2 + |y|^2``. Most are off by far less, but products of one size round one way.
    """

    def __init__(self, points: SearchedRows, places: Places, *, left: bool) -> None:
        self.places, d = places, len(points.shift)
        self.factor = torch.empty(len(places), d + 2)
        self.lengths = torch.empty(len(places))
        self.slack = (16 + d) * SINGLE  # 16: for the lengths, and for the rounding of the rows.
        for part in torch.arange(len(places)).split(COLUMNS):
            here = slice(int(part[0]), int(part[-1]) + 1)
            rows = points.centred(places[here], torch.float32)
            self.lengths[here] = rows.square().sum(1)
            self.factor[here, :d] = rows if left else rows.mul_(-2)
        low, one = self.lengths * (1 - self.slack), torch.ones(len(places))
        self.factor[:, d], self.factor[:, d + 1] = (low, one) if left else (one, low)
        self.ready = matmul.factor(self.factor) if left else self.factor

    def first(self, count: int) -> "_Block":
        """Its first rows."""
        if count == len(self.places):
            return self
        part = copy(self)
        part.places, part.factor, part.lengths = self.places[:count], self.factor[:count], self.lengths[:count]
        part.ready = matmul.factor(part.factor)
        return part


class _Tile:
    """Squared distances between two blocks: ``low`` is not above the true ones, nor ``high`` below."""

    def __init__(self, x: SearchedRows, y: SearchedRows, rows: _Block, columns: _Block) -> None:
        self._x, self._y, self._rows, self._columns = x, y, rows, columns
        self.low = matmul.times(rows.ready, columns.factor)

    def high(self, row: Tensor, column: Tensor) -> Float[Tensor, " *pairs"]:
        """Above the true ones, for some pairs."""
        both = self._rows.lengths[row] + self._columns.lengths[column]
        return self.low[row, column] + (2.5 * self._rows.slack * both + TINY)

    def decide(self, row: Tensor, column: Tensor, thresholds: Sequence[Tensor]) -> Float64[Tensor, " pairs"]:
        """Squared distances of pairs: near enough, or where a threshold is too near them, proper."""
        low, high = self.low[row, column].double(), self.high(row, column).double()
        close = torch.zeros(len(row), dtype=torch.bool)
        for threshold in thresholds:
            close |= (low <= threshold) & (threshold < high)
        close = close.nonzero().flatten()
        if len(close) > DENSE * self.low.numel():
            return self.double()[row, column]
        found = _between(low, high)
        found[close] = distances(self._x, self._y, self._rows.places[row[close]], self._columns.places[column[close]])
        return found

    def double(self) -> Float64[Tensor, "rows columns"]:
        """All distances in float64, less what the rounding may have added."""
        a = self._x.centred(self._rows.places, torch.float64)
        b = self._y.centred(self._columns.places, torch.float64)
        slack = (16 + a.shape[1]) * DOUBLE
        lengths = a.square().sum(1)[:, None] + b.square().sum(1)[None, :]
        return lengths.mul_(1 - slack).addmm_(a, b.T, alpha=-2).clamp_min_(0)


class _Best:
    """The lowest lower bounds of each row so far, in any order, and where they were found."""

    def __init__(self, n: int, kept: int) -> None:
        self.low = torch.full((n, kept), torch.inf)
        self.high = torch.full((n, kept), torch.inf)
        self.places = torch.full((n, kept), -1, dtype=torch.int64)
        self.reach = torch.full((n,), torch.inf)  # The highest of the kept: nothing above it comes in.

    def offer(
        self, rows: Places, columns: Places, low: Float[Tensor, "r c"], high: Callable[[Tensor, Tensor], Tensor]
    ) -> None:
        """A tile of lower bounds; ``high(row, column)`` gives the upper ones."""
        kept, reach = self.low.shape[1], self.reach[rows]
        if torch.isinf(reach).any():
            found, column = low.topk(min(kept, low.shape[1]), dim=1, largest=False, sorted=False)
            changed = torch.arange(len(rows))
        else:
            changed, column, found = _lowest(low, low < reach[:, None], kept)
        if len(changed):
            above = torch.where(found < torch.inf, high(changed[:, None], column), torch.inf)
            places = torch.where(found < torch.inf, columns[column], -1)
            self._merge(rows[changed], places, found, above)

    def _merge(self, rows: Tensor, places: Tensor, low: Tensor, high: Tensor) -> None:
        low, high = torch.cat([self.low[rows], low], 1), torch.cat([self.high[rows], high], 1)
        places = torch.cat([self.places[rows], places], 1)
        self.low[rows], best = low.topk(self.low.shape[1], dim=1, largest=False, sorted=False)
        self.high[rows], self.places[rows] = high.gather(1, best), places.gather(1, best)
        self.reach[rows] = self.low[rows].amax(1)


def _lowest(low: Tensor, wanted: Tensor, kept: int) -> tuple[Tensor, Tensor, Tensor]:
    """The rows with a wanted entry, and the ``kept`` lowest of each: columns and values (0 and ``inf``: no more)."""
    row, column = wanted.nonzero(as_tuple=True)
    value = low[row, column]
    order = value.argsort()
    order = order[row[order].argsort(stable=True)]
    row, column, value = row[order], column[order], value[order]
    changed, which, count = row.unique_consecutive(return_inverse=True, return_counts=True)
    rank = torch.arange(len(row)) - (count.cumsum(0) - count)[which]
    few = rank < kept
    columns = torch.zeros(len(changed), kept, dtype=torch.int64)
    values = torch.full((len(changed), kept), torch.inf)
    columns[which[few], rank[few]], values[which[few], rank[few]] = column[few], value[few]
    return changed, columns, values


def _nearest(
    x: SearchedRows, y: SearchedRows, *, rank: int, kept: int, done: Done | None
) -> tuple[Float64[Tensor, "n kept"], Int64[Tensor, "n kept"]]:
    """Squared distances to the nearest and their places; exact at the ``rank``-th (1 is the nearest)."""
    best = _Best(x.n, kept + SPARE)
    for rows, columns in _tiles(x, y, upper=x is y):
        tile = _Tile(x, y, rows, columns)
        if x is y and columns.places[0] <= rows.places[-1]:
            tile.low.masked_fill_(rows.places[:, None] == columns.places[None, :], torch.inf)
        best.offer(rows.places, columns.places, tile.low, tile.high)
        before = int((rows.places < columns.places[0]).sum()) if x is y else 0
        if before:
            low = tile.low[:before].T
            best.offer(columns.places, rows.places[:before], low, lambda c, r, tile=tile: tile.high(r, c))
        if done is not None:
            done(int(rows.places[0]) + len(rows.places) * (int(columns.places[-1]) + 1) / y.n)
    squared, places = _settle(x, y, best, rank)
    return squared[:, :kept], places[:, :kept]


def _settle(x: SearchedRows, y: SearchedRows, best: _Best, rank: int) -> tuple[Tensor, Tensor]:
    """Makes one rank exact; rows in which those kept do not settle it are searched again in float64."""
    squared = torch.empty(best.low.shape, dtype=torch.float64)
    for rows in x.blocks(ROWS):
        squared[rows], best.places[rows] = _settled(x, y, rows, best, rank)
    return squared, best.places


def _settled(x: SearchedRows, y: SearchedRows, rows: Places, best: _Best, rank: int) -> tuple[Tensor, Tensor]:
    low, high, places = best.low[rows].double(), best.high[rows].double(), best.places[rows]
    least, most = low.kthvalue(rank, 1).values[:, None], high.kthvalue(rank, 1).values[:, None]
    row, column = ((low <= most) & (high >= least) & (places >= 0)).nonzero(as_tuple=True)
    squared = torch.where(places >= 0, _between(low, high), torch.inf)
    squared[row, column] = distances(x, y, rows[row], places[row, column])
    squared, order = squared.sort(1)
    places = places.gather(1, order)
    unsettled = (squared[:, rank - 1] > best.reach[rows].double()).nonzero().flatten()
    for few in unsettled.split(COLUMNS) if len(unsettled) else ():
        squared[few], places[few] = _again(x, y, rows[few], squared.shape[1])
    return squared, places


def _again(x: SearchedRows, y: SearchedRows, rows: Places, kept: int) -> tuple[Tensor, Tensor]:
    """The nearest of some rows by float64 products, and their distances proper."""
    low = torch.full((len(rows), kept), torch.inf, dtype=torch.float64)
    places = torch.full((len(rows), kept), -1, dtype=torch.int64)
    block = _Block(x, rows, left=True)
    for columns in y.blocks(COLUMNS):
        tile = _Tile(x, y, block, _Block(y, columns, left=False)).double()
        if x is y:
            tile.masked_fill_(rows[:, None] == columns[None, :], torch.inf)
        low, order = torch.cat([low, tile], 1).topk(kept, dim=1, largest=False)
        places = torch.cat([places, columns.expand(len(rows), -1)], 1).gather(1, order)
    found, place = (low < torch.inf).nonzero(as_tuple=True)
    low[found, place] = distances(x, y, rows[found], places[found, place])
    low, order = low.sort(1)
    return low, places.gather(1, order)


def _tiles(x: SearchedRows, y: SearchedRows, *, upper: bool = False) -> Iterator[tuple[_Block, _Block]]:
    """Pairs of blocks; with ``upper`` only pairs of rows with one that is not before it, and the squares between."""
    for rows in x.blocks(ROWS):
        block = _Block(x, rows, left=True)
        for columns in y.blocks(COLUMNS, first=int(rows[0]) if upper else 0):
            reached = min(len(rows), int(columns[-1]) + 1 - int(rows[0]))
            yield block.first(reached) if upper else block, _Block(y, columns, left=False)


def _between(low: Float64[Tensor, "*pairs"], high: Float64[Tensor, "*pairs"]) -> Float64[Tensor, "*pairs"]:
    """The distances as computed: less the slack they are the lower bounds, and plus 1.5 times it the upper ones."""
    return torch.lerp(low, high, 0.4)


def _up(radii: Radii) -> Float[Tensor, " n"]:
    """In float32, not below."""
    return torch.nextafter(radii.float(), torch.tensor(torch.inf))


def _taker(rows: FeatureRows | Tensor) -> tuple[Callable[[Tensor], Tensor], int]:
    if isinstance(rows, Tensor):
        return lambda places: rows[places], len(rows)
    order, table = rows.tables["index"].all().long().argsort(stable=True), rows.tables["rows"]
    return lambda places: table.take(order[places]), rows.n
