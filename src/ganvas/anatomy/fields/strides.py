"""The stride (jump) of a layer as an exact fraction: how far apart the fields of neighbouring units lie.

The ratio of the input's size to the layer's is something else: five convolutions without padding shrink the map and
have a stride of 1, and a transposed convolution of stride 2 has 1/2 whatever its padding. Strides multiply along a path
from the unit back to the input; a path along which every unit reads the same (a mean, attention) has none. Where two
paths have unlike strides, as where a resize to a given size meets a skip, a layer has no one stride, and that is said.

Between strides of an up-sampling, fields repeat from unit to unit in phases: 1/2 says that the second next unit's field
lies exactly one pixel on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ganvas.anatomy.fields.dependence import Blocks, Dependence, Link, Reshaped, Shape, blocks


@dataclass(frozen=True, kw_only=True)
class Stride:
    """Along one axis of the input.

    Attributes:
        pixels: From a unit's field to the next one's, signed (a flipped axis runs backwards); None if there is no one
            number.
        note: What a reader must know besides, or instead.
    """

    pixels: Fraction | None
    note: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.pixels) if self.pixels is not None else "", self.note) if part)


@dataclass(frozen=True)
class Move:
    """An index follows one axis of the unit's layer: by ``slope`` from a unit to the next, over ``units`` of them."""

    axis: int
    slope: Fraction
    units: int
    even: bool = True  # In whole steps or whole parts of one; a resize by 13/5 takes steps of 2 and of 3.
    wraps: bool = False  # Begins anew at the end of a row.

    def by(self, factor: Fraction, *, even: bool = True, wraps: bool = False) -> "Move":
        """The same behind one more map."""
        return replace(self, slope=self.slope * factor, even=self.even and even, wraps=self.wraps or wraps)


Moves = tuple[frozenset[Move], ...]  # Per axis of a tensor; none where an index is the same for every unit.


def start(shape: Shape, places: Sequence[int]) -> Moves:
    """Of the unit's own layer: its places follow themselves."""
    return tuple(
        frozenset({Move(axis, Fraction(1), size)}) if axis in places else frozenset() for axis, size in enumerate(shape)
    )


def through(moves: Moves, shape: Shape, source: Shape, dependence: Dependence) -> Moves:
    """One operation back: from the axes of its output to those of an input."""
    if isinstance(dependence, Blocks):
        for behind, step in dependence.steps(shape, source):
            moves, shape = through(moves, shape, behind, step), behind
        return moves
    if isinstance(dependence, Reshaped):
        return _reshaped(moves, shape, source)
    if isinstance(dependence, Link):
        return tuple(
            frozenset()
            if out is None or mapped.slope is None
            else frozenset(move.by(mapped.slope, even=mapped.even) for move in moves[out])
            for out, mapped in dependence.axes
        )
    factor = Fraction(1, dependence.factor) if dependence.up else Fraction(dependence.factor)
    return (*moves[:2], *(frozenset(move.by(factor) for move in along) for along in moves[2:]))


def union(a: Moves, b: Moves) -> Moves:
    """Where branches meet."""
    return tuple(one | other for one, other in zip(a, b, strict=True))


def strides(moves: Moves, places: Sequence[int], *, stacked: bool = False) -> tuple[Stride, ...]:
    """Along the axes ``places`` of the input, in words where a number will not do.

    Args:
        stacked: Whether the unit's place chooses which input it reads; what it reads of it does not tell the stride.
    """
    wrapped = {move.axis for axis in places for move in moves[axis] if move.wraps}
    return tuple(_stride(moves[axis], wrapped, stacked=stacked) for axis in places)


def _stride(moves: frozenset[Move], wrapped: set[int], *, stacked: bool) -> Stride:
    if not moves and stacked:
        return Stride(pixels=None, note="not known: each unit of a stack reads its own part")
    if not moves:
        return Stride(pixels=None, note="none: every unit reads the same")
    if any(move.axis in wrapped for move in moves):
        return Stride(pixels=None, note="not uniform: rows follow one another along one axis")
    slopes = sorted({move.slope for move in moves})
    if len(slopes) > 1:
        return Stride(pixels=None, note=f"not uniform: {' and '.join(map(str, slopes))} on different paths")
    if len({move.axis for move in moves}) > 1:
        return Stride(pixels=None, note="not uniform: it follows two axes of the layer")
    even = all(move.even for move in moves)
    return Stride(pixels=slopes[0], note="" if even else "on average, not uniform")


# A change of shape: the place in row-major order stays


def _reshaped(moves: Moves, shape: Shape, source: Shape) -> Moves:
    found: list[frozenset[Move]] = [frozenset()] * len(source)
    for outs, ins in blocks(shape, source):
        for axis in ins:
            width = math.prod(source[a] for a in ins if a > axis)
            parts = (
                _part(move, math.prod(shape[b] for b in outs if b > out), width, source[axis])
                for out in outs
                for move in moves[out]
            )
            found[axis] = frozenset(part for part in parts if part is not None)
    return tuple(found)


def _part(move: Move, factor: int, width: int, size: int) -> Move | None:
    """What a move by so many elements does to the axis of ``size`` whose step is ``width`` elements."""
    step = abs(move.slope) * factor
    travel = step * (move.units - 1)
    if size == 1 or step % (width * size) == 0 or travel < width:
        return None
    ratio = Fraction(factor, width)
    return move.by(ratio, even=step % width == 0 or width % step == 0, wraps=travel >= width * size)
