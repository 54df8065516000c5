"""Kinds of dependence of an output on an input: plain values that intervals, sets and strides go back through."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ganvas.anatomy.fields.axis_maps import IDENTITY, All, Follows, Groups, Interval, TransposedWindow, Window

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Link:
    """Per axis of an input, what it follows.

    ``only`` says of axes of the output that no axis of the input follows: at which indices, first and last, the output
    reads this input at all. A stack of ten reads each of them at one.
    """

    axes: tuple[Follows, ...]
    known: bool = True
    only: tuple[tuple[int, Interval], ...] = ()


def whole(source: Shape) -> Link:
    """Every element but those of other pictures, as far as that can be known."""
    return Link((((0, IDENTITY)), *((None, All(size)) for size in source[1:])) if source else (), known=False)


@dataclass(frozen=True)
class Reshaped:
    """The same elements in the same order under another shape."""


@dataclass(frozen=True)
class Blocks:
    """Windows of a picture laid out as ``(n, c kh kw, places)``, or ``folded`` back, where overlaps add up."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    places: tuple[int, ...]
    folded: bool

    @classmethod
    def of(cls, attributes: Mapping[str, Any], picture: Shape, *, folded: bool) -> "Blocks":
        """By the arguments of ``unfold`` and ``fold``."""
        names = ("kernel_size", "stride", "padding", "dilation")
        kernel, stride, padding, dilation = (attributes[name] for name in names)
        each = zip(picture[2:], kernel, stride, padding, dilation, strict=True)
        places = tuple((size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in each)
        return cls(kernel, stride, padding, dilation, places, folded)

    def steps(self, shape: Shape, source: Shape) -> tuple[tuple[Shape, Link | Reshaped], ...]:
        """The same as a convolution, transposed where folded, and a change of shape, each with what it reads.

        Whole windows for single elements of them: for intervals, which do not part them either.
        """
        window = TransposedWindow if self.folded else Window
        along = zip(self.kernel, self.stride, self.padding, self.dilation, strict=True)
        maps: list[Follows] = [(n + 2, window(*each)) for n, each in enumerate(along)]
        channels = min(shape[1], source[1])
        link = Link(((0, IDENTITY), (1, Groups(source[1], shape[1], channels)), *maps))
        laid = (*(source if self.folded else shape)[:2], *self.places)
        return ((laid, link), (source, Reshaped())) if self.folded else ((laid, Reshaped()), (source, link))


@dataclass(frozen=True)
class Shuffled:
    """Pixel shuffle (``up``) or unshuffle by a factor: channels for places."""

    factor: int
    up: bool


Dependence = Link | Reshaped | Shuffled | Blocks


def kept_ends(shape: Shape, source: Shape) -> tuple[int, int]:
    """How many axes at the front and at the back a change of shape leaves as they are, as far as sizes can tell."""
    front = 0
    while front < min(len(shape), len(source)) and shape[front] == source[front]:
        front += 1
    back = 0
    while back < min(len(shape), len(source)) - front and shape[-1 - back] == source[-1 - back]:
        back += 1
    return front, back


def blocks(shape: Shape, source: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """A change of shape in its parts: the least runs of axes of ``shape`` and of ``source`` that hold as many elements.

    >>> list(blocks((2, 3, 8), (6, 2, 4)))
    [([0, 1], [0]), ([2], [1, 2])]
    """
    outs: list[int] = []
    ins: list[int] = []
    out = 0
    for axis, size in enumerate(source):
        if not ins and out < len(shape) and shape[out] == size:
            yield [out], [axis]
            out += 1
            continue
        ins.append(axis)
        product = math.prod(source[a] for a in ins)
        while out < len(shape) and math.prod(shape[b] for b in outs) < product:
            outs.append(out)
            out += 1
        if math.prod(shape[b] for b in outs) == product:
            yield outs, ins
            outs, ins = [], []
