"""Harmonic filling: the smoothest continuation of what is around a hole. The floor that a model has to pass.

Inside of the hole every pixel is the mean of its neighbours, at its rim the picture is as it was (Laplace's equation;
a soap film over the rim). Nothing is learnt. Beyond the border of the picture there is no neighbour, so the film ends
there without a slope.

Solved by full multigrid (Brandt 1977, https://doi.org/10.1090/S0025-5718-1977-0431719-X): the picture of half the size
is filled first, and its filling, doubled, is where the sweeps of this size begin; what is smooth in their error is
found on the coarser grids in turn. The cost is that of some tens of sweeps over the hole's rectangle, whatever the size
of the hole.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ganvas.core.errors import UserError

Planes = Float[Tensor, "c h w"]
Cells = Bool[Tensor, "h w"]

# Two sweeps of these weights damp what is rough (eigenvalues 1/2 to 2 of the pixel less its neighbours' mean) to 22 %.
CHEBYSHEV = tuple(1 / (1.25 - sign * 0.75 * math.cos(math.pi / 4)) for sign in (1, -1))
COARSEST = 2  # Pixels; a shorter side is swept and not halved.
MOST_CYCLES = 40
BYTE_TOLERANCE = 0.2  # Of a cycle's last change, in levels of 255: what is left is a fraction of it.
ROUGHLY = 2.0  # Times the tolerance at half the size, whose filling is where a solution begins, and no more.
ALL = (slice(None), slice(None))  # Of planes and rows.
TINY = 1e-30  # Keeps a filling that is exact already from being divided by nothing.
STRIP = 1 << 18  # Numbers that are swept together, so that they stay in the cache.


def harmonic_fill(
    picture: Float[Tensor, "c h w"], hole: Bool[Tensor, "h w"], *, tolerance: float | None = None
) -> Float[Tensor, "c h w"]:
    """The picture with its hole filled; what is known is as it was, to the bit.

    Args:
        picture: In any unit; what it holds inside of the hole is never looked at.
        hole: True where it is to be filled in.
        tolerance: Cycles go on until none changes any pixel by more; the default is ``BYTE_TOLERANCE`` levels, where
            the known colours span 255.

    Raises:
        UserError: nothing is known of the picture.
    """
    if not bool(hole.any()):
        return picture
    if bool(hole.all()):
        raise UserError("Nothing of the picture is known, so nothing can be continued into the hole.")
    rows, columns = _rectangle(hole)
    inner = hole[rows, columns]
    known = torch.where(inner, 0, picture[:, rows, columns])
    if tolerance is None:
        tolerance = BYTE_TOLERANCE / 255 * float(known.max() - known.min())
    whole = picture.clone()
    whole[:, rows, columns] = torch.where(inner, _solved(*_equations(known, inner), tolerance), known)
    return whole


def mean_fill(picture: Float[Tensor, "c h w"], hole: Bool[Tensor, "h w"]) -> Float[Tensor, "c h w"]:
    """The picture with its hole in the mean colour of what is known.

    Raises:
        UserError: nothing is known of the picture.
    """
    if bool(hole.all()):
        raise UserError("Nothing of the picture is known, so it has no mean colour.")
    return torch.where(hole, picture[:, ~hole].mean(1)[:, None, None], picture)


@dataclass(frozen=True)
class _Grid:
    """The equations of one level: ``diagonal x - sum of link x' = b`` for every cell that is unknown.

    Links of the picture's own grid are all 1, and its b is the sum of the known neighbours. A link is as strong as two
    cells' common side is long over their distance; ``rim`` is the part of the diagonal that leads to known pixels.
    """

    unknown: Float[Tensor, "h w"]
    right: Float[Tensor, "h w"]  # To the cell on the right; 0 in the last column.
    down: Float[Tensor, "h w"]
    rim: Float[Tensor, "h w"]
    diagonal: Float[Tensor, "h w"]
    inverse: Float[Tensor, "h w"]  # Of the diagonal, 0 where nothing is unknown.
    side: int  # Of a cell, in pixels.


def _solved(b: Planes, grids: list[_Grid], tolerance: float) -> Planes:
    """The x of every unknown cell, 0 elsewhere, from the solution of half the size on.

    Cycles through the grids are the directions of flexible conjugate gradients, which need a third of the cycles.
    """
    x = _started(b, grids, tolerance)
    rest = _rest(x, b, grids[0])
    # A channel of less energy is solved as far as its numbers can say; a step along what is left is a step anywhere.
    least = torch.finfo(b.dtype).eps ** 2 * _products(b, b * grids[0].inverse)
    zero, way, before, product = torch.zeros_like(x), torch.zeros_like(x), rest, torch.ones_like(x[:, :1, :1])
    for _ in range(MOST_CYCLES):
        better = _cycle(rest, grids)
        pull = _products(better, rest)
        way = way.mul_((pull - _products(better, before)) / product).add_(better)
        met = _rest(way, zero, grids[0])
        length = torch.where(pull > least, pull / -_products(way, met).clamp_max(-TINY), 0)
        before, product = rest, pull.clamp_min(TINY)
        x.addcmul_(way, length)
        rest = torch.addcmul(rest, met, length)
        if float((length.abs() * _farthest(way)).max()) <= tolerance:
            break
    return x


def _started(b: Planes, grids: list[_Grid], tolerance: float) -> Planes:
    """The solution of half the size, doubled; what the rim alone says where there is no half."""
    grid = grids[0]
    if len(grids) == 1:
        return b.sum((1, 2), keepdim=True) / grid.rim.sum().clamp_min(TINY) * grid.unknown
    # The rim weighs less in a larger cell, whose centre is farther from it; what it says weighs less by as much.
    coarse = _farther(grid.side) * summed(b)
    return doubled(_solved(coarse, grids[1:], ROUGHLY * tolerance), b.shape[1:]) * grid.unknown


def _cycle(b: Planes, grids: list[_Grid]) -> Planes:
    """About what solves the equations: two sweeps, what the coarser grids find of the rest, and two sweeps."""
    grid = grids[0]
    x = CHEBYSHEV[0] * b * grid.inverse
    x = _swept(x, b, grid, CHEBYSHEV[1])
    if len(grids) > 1:
        found = _cycle(summed(_rest(x, b, grid)), grids[1:])
        x.addcmul_(doubled(found, x.shape[1:]), grid.unknown)
    for weight in CHEBYSHEV:
        x = _swept(x, b, grid, weight)
    return x


def _swept(x: Planes, b: Planes, grid: _Grid, weight: float) -> Planes:
    """``x + weight rest / diagonal``, so ``weight`` of the way from x to what the neighbours say."""
    found = torch.empty_like(x)
    for rows in _strips(x):
        said = _linked(x, rows, grid).add_(b[:, rows]).mul_(grid.inverse[rows])
        torch.lerp(x[:, rows], said, weight, out=found[:, rows])
    return found


def _rest(x: Planes, b: Planes, grid: _Grid) -> Planes:
    """``b + sum of link x' - diagonal x`` where a cell is unknown, 0 elsewhere."""
    found = torch.empty_like(x)
    for rows in _strips(x):
        rest = _linked(x, rows, grid).addcmul_(x[:, rows], grid.diagonal[rows], value=-1).add_(b[:, rows])
        torch.mul(rest, grid.unknown[rows], out=found[:, rows])
    return found


def _strips(x: Planes) -> Iterator[slice]:
    """Rows that are swept together."""
    height = x.shape[1]
    step = max(STRIP // (x.shape[0] * x.shape[2]), 1)
    for first in range(0, height, step):
        yield slice(first, min(first + step, height))


def _linked(x: Planes, rows: slice, grid: _Grid) -> Float[Tensor, "c some w"]:
    """Sums of link times neighbour for some rows; x is 0 where nothing is unknown."""
    total = torch.empty_like(x[:, rows])
    total[:, :, 0] = 0
    above, below = max(rows.start - 1, 0), min(rows.stop + 1, x.shape[1])
    left = (total[:, :, 1:], x[:, rows, :-1], grid.right[rows, :-1])
    others = (
        (total[:, :, :-1], x[:, rows, 1:], grid.right[rows, :-1]),
        (total[:, above - rows.start + 1 :], x[:, above : rows.stop - 1], grid.down[above : rows.stop - 1]),
        (total[:, : below - rows.start - 1], x[:, rows.start + 1 : below], grid.down[rows.start : below - 1]),
    )
    if grid.side == 1:  # Links of pixels are 1.
        left[0].copy_(left[1])
        for part, neighbour, _ in others:
            part.add_(neighbour)
    else:
        torch.mul(left[1], left[2], out=left[0])
        for part, neighbour, link in others:
            part.addcmul_(neighbour, link)
    return total


def _equations(known: Planes, hole: Cells) -> tuple[Planes, list[_Grid]]:
    """What the known neighbours say, and the grids from the picture's own down."""
    unknown = hole.to(known.dtype)
    one = torch.ones_like(unknown)
    whole = _Grid(one, one, one, 0 * one, one, one, 1)
    rows = slice(0, len(hole))
    neighbours = _linked(one[None], rows, whole)[0] * unknown
    rim = neighbours - _linked(unknown[None], rows, whole)[0] * unknown
    grids = [_grid(unknown, unknown * _left(unknown), unknown * _up(unknown), rim, side=1)]
    while min(unknown.shape) > COARSEST:
        grids.append(_coarser(grids[-1]))
        unknown = grids[-1].unknown
    return _linked(known, rows, whole) * hole, grids


def _grid(unknown: Tensor, right: Tensor, down: Tensor, rim: Tensor, *, side: int) -> _Grid:
    diagonal = rim + right + down
    diagonal[:, 1:] += right[:, :-1]
    diagonal[1:] += down[:-1]
    inverse = torch.where(diagonal > 0, 1 / diagonal.clamp_min(TINY), 0)
    return _Grid(unknown, right, down, rim, diagonal, inverse, side)


def _coarser(grid: _Grid) -> _Grid:
    """Four cells as one, unknown where any of them is: their links are twice as long, their common sides add up."""
    right = _summed_columns(grid.right)
    down = _summed_columns(grid.down.T).T
    unknown = (summed(grid.unknown[None])[0] > 0).to(grid.unknown.dtype)
    return _grid(unknown, right / 2, down / 2, _farther(grid.side) * summed(grid.rim[None])[0], side=2 * grid.side)


def _summed_columns(right: Float[Tensor, "h w"]) -> Float[Tensor, "h2 w2"]:
    """Links from the odd columns, which leave a cell of 2 x 2, added up over two rows."""
    leaving = torch.zeros_like(right)
    leaving[:, 1::2] = right[:, 1::2]
    return summed(leaving[None])[0]


def _farther(side: int) -> float:
    """How much weaker the link to a known pixel half a pixel beyond a cell's side is, of a cell twice as large."""
    return (side / 2 + 0.5) / (side + 0.5)


def _left(x: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Every cell's right neighbour."""
    return F.pad(x[:, 1:], (0, 1))


def _up(x: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Every cell's lower neighbour."""
    return F.pad(x[1:], (0, 0, 0, 1))


def _products(a: Planes, b: Planes) -> Float[Tensor, "c 1 1"]:
    return (a * b).sum((1, 2), keepdim=True)


def _farthest(a: Planes) -> Float[Tensor, "c 1 1"]:
    """The largest absolute value of each plane."""
    return a.abs().amax((1, 2), keepdim=True)


def summed(x: Planes) -> Float[Tensor, "c h2 w2"]:
    """Sums over squares of 2 x 2, of which those at an odd border hold less."""
    return _pairs_summed(_pairs_summed(x, 1), 2)


def _pairs_summed(x: Planes, axis: int) -> Float[Tensor, "c h2 w2"]:
    """Sums of two neighbours each; the last one alone where their number is odd."""
    pairs = x.shape[axis] // 2
    even, odd = (x[(*ALL[:axis], slice(first, None, 2))] for first in (0, 1))
    found = even.narrow(axis, 0, pairs) + odd
    return found if even.shape[axis] == pairs else torch.cat([found, even.narrow(axis, pairs, 1)], axis)


def doubled(x: Planes, size: torch.Size) -> Float[Tensor, "c h2 w2"]:
    """Bilinear, cut at ``size``: torch's own takes six times as long for three planes."""
    return _doubled_along(_doubled_along(x, 1, size[0]), 2, size[1])


def _doubled_along(x: Planes, axis: int, size: int) -> Float[Tensor, "c h2 w2"]:
    """Three quarters of each value and one of the neighbour on either side, which the ends repeat themselves."""
    found = x.new_empty(*x.shape[:axis], size, *x.shape[axis + 1 :])
    last = x.shape[axis] - 1
    before, after = x.narrow(axis, 0, last), x.narrow(axis, 1, last)
    found.select(axis, 0).copy_(x.select(axis, 0))
    found.select(axis, size - 1).copy_(x.select(axis, last))  # The odd end; where ``size`` is odd, written over below.
    torch.lerp(after, before, 0.25, out=found[(*ALL[:axis], slice(2, None, 2))])
    torch.lerp(before, after, 0.25, out=found[(*ALL[:axis], slice(1, 2 * last, 2))])
    return found


def _rectangle(hole: Cells) -> tuple[slice, slice]:
    """The rows and columns of the hole, and one more of what is known on every side."""
    found = []
    for axis in (1, 0):
        places = hole.any(axis).nonzero()[:, 0]
        found.append(slice(max(int(places[0]) - 1, 0), int(places[-1]) + 2))
    return found[0], found[1]
