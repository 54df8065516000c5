"""Boxes of a tensor's elements, one interval along every axis, and what they become one operation back.

A picture whose rows were laid out one behind another, as words of a transformer, is still a picture: a box of it is no
interval of the words. Such an axis has a :class:`Strip`, the intervals of the axes that it was made of, and keeps it
until an operation reads along the words themselves.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ganvas.anatomy.fields.axis_maps import Affine, AxisMap, Interval, Part
from ganvas.anatomy.fields.dependence import Blocks, Dependence, Link, Reshaped, Shape, blocks


@dataclass(frozen=True)
class Strip:
    """A box of several axes that lie one within another along one axis, from ``start`` on."""

    start: int
    sizes: tuple[int, ...]
    parts: tuple[Interval, ...]

    @property
    def length(self) -> int:
        """Elements of the axis that the strip may take."""
        return math.prod(self.sizes)

    def hull(self) -> Interval:
        """From the first to the last element within the borders."""
        inside = [(max(low, 0), min(high, size - 1)) for (low, high), size in zip(self.parts, self.sizes, strict=True)]
        steps = [math.prod(self.sizes[axis + 1 :]) for axis in range(len(self.sizes))]
        low, high = (sum(step * ends[end] for step, ends in zip(steps, inside, strict=True)) for end in (0, 1))
        return self.start + low, self.start + high


Along = Interval | Strip
Box = tuple[Along, ...]  # Per axis of a tensor, with the batch.


def interval(along: Along) -> Interval:
    """From the first to the last element along an axis."""
    return along.hull() if isinstance(along, Strip) else along


def through(box: Box, shape: Shape, source: Shape, dependence: Dependence) -> Box | None:
    """One operation back: the box of an input that a box of its output reads; None where it reads nothing."""
    if isinstance(dependence, Link):
        return _linked(box, dependence)
    if isinstance(dependence, Reshaped):
        return _reshaped(box, shape, source)
    if isinstance(dependence, Blocks):
        (laid, first), (_, second) = dependence.steps(shape, source)
        between = through(box, shape, laid, first)
        return None if between is None else through(between, laid, source, second)
    factor = dependence.factor
    scale = (lambda at: at // factor) if dependence.up else (lambda at: at * factor)
    wide = 0 if dependence.up else factor - 1
    places = [(scale(low), scale(high) + wide) for low, high in map(interval, box[2:])]
    return (box[0], (0, source[1] - 1), *places)


def union(a: Box, b: Box) -> Box:
    """The least box around two."""
    return tuple(_joined(one, other) for one, other in zip(a, b, strict=True))


def _linked(box: Box, link: Link) -> Box | None:
    for axis, (first, last) in link.only:
        low, high = interval(box[axis])
        if high < first or low > last:
            return None
    found: list[Along] = []
    for out, mapped in link.axes:
        reached = _reach(mapped, (0, 0) if out is None else box[out])
        if reached is None:
            return None
        found.append(reached)
    return tuple(found)


def _reach(mapped: AxisMap, along: Along) -> Along | None:
    if not isinstance(along, Strip):
        return mapped.reach(along)
    if isinstance(mapped, Affine) and mapped.step == 1:
        return replace(along, start=along.start + mapped.start)
    if isinstance(mapped, Part) and (along.start, along.length) == (mapped.start, mapped.size):
        return replace(along, start=0)
    return mapped.reach(along.hull())


def _joined(one: Along, other: Along) -> Along:
    if isinstance(one, Strip) and isinstance(other, Strip):
        if (one.start, one.sizes) == (other.start, other.sizes):
            return replace(one, parts=tuple(map(_hull, one.parts, other.parts)))
        return _hull(one.hull(), other.hull())
    if isinstance(other, Strip):
        one, other = other, one
    if not isinstance(one, Strip):
        return _hull(one, interval(other))
    low, high = (end - one.start for end in interval(other))
    if low >= 0 and high < one.length:
        return replace(one, parts=tuple(map(_hull, one.parts, _split((low, high), one.sizes))))
    return _hull(one.hull(), interval(other))


def _hull(a: Interval, b: Interval) -> Interval:
    return min(a[0], b[0]), max(a[1], b[1])


def _split(along: Interval, sizes: Sequence[int]) -> tuple[Interval, ...]:
    """An interval of one axis as the box of axes that it is split in: what lies within a step that is left is whole."""
    found: list[Interval] = []
    (low, high), same = along, True
    for axis, size in enumerate(sizes):
        width = math.prod(sizes[axis + 1 :])
        ends = (low // width, high // width) if same else (0, size - 1)
        found.append(ends)
        same = same and ends[0] == ends[1]
        low, high = low - ends[0] * width, high - ends[1] * width
    return tuple(found)


# A change of shape: the least box around the same elements


def _reshaped(box: Box, shape: Shape, source: Shape) -> Box:
    found: list[Along] = [(0, 0)] * len(source)
    for outs, ins in blocks(shape, source):
        if len(outs) == len(ins) == 1:
            found[ins[0]] = box[outs[0]]
            continue
        factors = [factor for out in outs for factor in _factors(box[out], shape[out])]
        sizes = [source[axis] for axis in ins]
        dealt = _dealt(factors, sizes)
        if dealt is None:  # The axes are cut at other places than they were put together at.
            steps = [math.prod(size for size, _ in factors[n + 1 :]) for n in range(len(factors))]
            ends = [(step * low, step * high) for step, (_, (low, high)) in zip(steps, factors, strict=True)]
            flat = sum(low for low, _ in ends), sum(high for _, high in ends)
            dealt = list(_split(flat, sizes))
        for axis, along in zip(ins, dealt, strict=True):
            found[axis] = along
    return tuple(found)


def _factors(along: Along, size: int) -> Iterator[tuple[int, Interval]]:
    """The axes that an axis is made of, with their intervals."""
    if isinstance(along, Strip) and along.start == 0 and along.length == size:
        yield from zip(along.sizes, along.parts, strict=True)
    elif size > 1:
        yield size, interval(along)


def _dealt(factors: Sequence[tuple[int, Interval]], sizes: Sequence[int]) -> list[Along] | None:
    """The factors dealt out to axes of these sizes, major ones first; None where their borders do not meet."""
    rest = list(factors)
    found: list[Along] = []
    for size in sizes:
        held: list[tuple[int, Interval]] = []
        while (left := size // math.prod(factor for factor, _ in held)) > 1:
            if not rest:
                return None
            factor, along = rest.pop(0)
            if left % factor and factor % left:
                return None
            if factor > left:
                major, minor = _split(along, (left, factor // left))
                rest.insert(0, (factor // left, minor))
                factor, along = left, major
            held.append((factor, along))
        found.append(_one(held))
    return found


def _one(held: Sequence[tuple[int, Interval]]) -> Along:
    if not held:
        return 0, 0
    if len(held) == 1:
        return held[0][1]
    return Strip(0, tuple(size for size, _ in held), tuple(along for _, along in held))
