"""Painting many pictures at once: windows on a stack of pictures, and shapes with their coverage.

A shape is how much of each pixel it covers, in [0, 1]. The colour of a pixel is blended by coverage; its mask is the
topmost thing that covers at least half of it.

Only sums, products, quotients, square roots and comparisons of float32 are used: IEEE 754 rounds them alike
everywhere, so that the bytes agree across machines. Sines, powers and reductions do not have this property.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Int64, UInt8

Plane = Float32[np.ndarray, "m #h #w"]  # One value per pixel of m windows; broadcasts along rows or columns.
Column = Float32[np.ndarray, " m"]
Ids = UInt8[np.ndarray, " m"]


@dataclass(frozen=True)
class Shape:
    """How much of each pixel a thing covers, in m windows of h by w pixels.

    Shapes combine as sets. A pixel that the edges of both cut gets the lesser or the greater coverage of the two.
    """

    cover: Plane

    def __and__(self, other: "Shape") -> "Shape":
        return Shape(np.minimum(self.cover, other.cover))

    def __or__(self, other: "Shape") -> "Shape":
        return Shape(np.maximum(self.cover, other.cover))

    def __invert__(self) -> "Shape":
        return Shape(1 - self.cover)


@dataclass
class Window:
    """A rectangle of some pictures of a canvas, with coordinates about an anchor.

    ``x`` grows to the right and ``y`` upwards, both zero at the anchor, in short sides of the picture. Distances
    handed to :meth:`within` are in the same unit.
    """

    pixel: float  # Side of a pixel.
    x: Float32[np.ndarray, "m 1 w"]
    y: Float32[np.ndarray, "m h 1"]
    colour: Float32[np.ndarray, "m 3 h w"]
    mask: UInt8[np.ndarray, "m h w"]

    def paint(self, shape: Shape, colour: np.ndarray, *, mask: int | Ids | None = None, opacity: float = 1.0) -> None:
        """Blends ``colour`` (m 3, or m 3 h w) over the shape; pixels covered by half are now ``mask``."""
        self.blend(shape.cover * opacity if opacity != 1 else shape.cover, colour)
        if mask is not None:
            ids = np.uint8(mask) if isinstance(mask, int) else _tall(mask)
            np.copyto(self.mask, ids, where=shape.cover >= 0.5)

    def blend(self, weight: Plane, colour: np.ndarray) -> None:
        """Moves the colours by ``weight`` in [0, 1] towards ``colour``: light and texture, which own no pixel."""
        whole = colour[:, :, None, None] if colour.ndim == 2 else colour
        change = whole - self.colour
        change *= weight[:, None]
        self.colour += change

    def within(self, distance: Plane) -> Shape:
        """The shape of a signed distance (negative inside): an edge covers a pixel by ``1/2 - distance / pixel``."""
        cover = distance / -self.pixel
        cover += 0.5
        return Shape(limit(cover))

    def disc(self, x: Column, y: Column, radius: Column) -> Shape:
        """A disc about (x, y)."""
        across, up = self.x - _tall(x), self.y - _tall(y)
        return self.within(_root(across * across + up * up) - _tall(radius))

    def ellipse(self, x: Column, y: Column, width: Column, height: Column) -> Shape:
        """An upright ellipse of the half axes ``width`` and ``height``.

        With ``q^2 = (x / width)^2 + (y / height)^2`` the distance is ``(q - 1) / |grad q|``, right at the edge, where
        it matters; ``1 / |grad q|`` is kept from falling below the shorter half axis, its least value.
        """
        across, up = (self.x - _tall(x)) / _tall(width), (self.y - _tall(y)) / _tall(height)
        q = _root(across * across + up * up)
        across, up = across / _tall(width), up / _tall(height)
        slope = _root(across * across + up * up)
        return self.within((q - 1) * np.maximum(q / (slope + 1e-6), _tall(np.minimum(width, height))))

    def box(self, left: Column, right: Column, low: Column, high: Column) -> Shape:
        """An upright rectangle. Its coverage is the exact area of overlap, so that strips thinner than a pixel hold."""
        return Shape(self._overlap(self.x, left, right) * self._overlap(self.y, low, high))

    def peak(self, x: Column, top: Column, slope: Column) -> Shape:
        """Below a roof whose ridge is at (x, top) and that falls by ``slope`` per unit to both sides."""
        rise = self.y - _tall(top) + np.abs(self.x - _tall(x)) * _tall(slope)
        return self.within(rise / np.sqrt(1 + _tall(slope) * _tall(slope)))

    def side(self, x: Column, y: Column, lean: Column) -> Shape:
        """Left of the line through (x, y) that leans by ``lean`` to the right per unit of height."""
        past = self.x - _tall(x) - _tall(lean) * (self.y - _tall(y))
        return self.within(past / np.sqrt(1 + _tall(lean) * _tall(lean)))

    def below(self, y: Column) -> Shape:
        """Below a level line."""
        return self.within(self.y - _tall(y))

    def _overlap(self, centre: Plane, low: Column, high: Column) -> Plane:
        half = self.pixel / 2
        length = np.minimum(centre + half, _tall(high)) - np.maximum(centre - half, _tall(low))
        return limit(length / self.pixel)


@dataclass
class Canvas:
    """A stack of n pictures of one size, colours 0..255 in float32 and masks."""

    n: int
    height: int
    width: int
    colour: np.ndarray = field(init=False)  # n 3 h w
    mask: np.ndarray = field(init=False)  # n h w

    def __post_init__(self) -> None:
        self.colour = np.zeros((self.n, 3, self.height, self.width), np.float32)
        self.mask = np.zeros((self.n, self.height, self.width), np.uint8)
        self.short = min(self.height, self.width)
        self.pixel = 1 / self.short
        self.breadth = self.width / self.short  # Of the picture, in short sides.
        self.tallness = self.height / self.short

    def band(self, high: float, low: float) -> Window:
        """All pictures between two heights; the anchor is the upper left corner, and ``y`` is negative below it."""
        first = max(int(high * self.short) - 2, 0)
        last = min(int(low * self.short) + 3, self.height)
        x = np.broadcast_to(self._x(np.arange(self.width)), (self.n, 1, self.width))
        y = np.broadcast_to(-self._y(np.arange(first, last)), (self.n, last - first, 1))
        return Window(self.pixel, x, y, self.colour[:, :, first:last], self.mask[:, first:last])

    def window(self, rows: Int64[np.ndarray, " m"], x: Column, y: Column) -> "Cut":
        """Of the pictures ``rows``, a rectangle about the anchors (x, y): x from the left, y from the top."""
        return Cut(self, rows, x, y)

    def to_bytes(self) -> UInt8[np.ndarray, "n h w 3"]:
        """The pictures, rounded to the nearest byte."""
        rounded = limit(self.colour + 0.5, 255).astype(np.uint8)
        return np.ascontiguousarray(rounded.transpose(0, 2, 3, 1))

    def _x(self, columns: np.ndarray) -> np.ndarray:
        return ((columns.astype(np.float32) + 0.5) * self.pixel)[..., None, :]

    def _y(self, rows: np.ndarray) -> np.ndarray:
        return ((rows.astype(np.float32) + 0.5) * self.pixel)[..., :, None]


class Cut:
    """A rectangle cut out of some pictures, and put back when it is painted.

    All rectangles of one cut have one size, that of the largest thing; what lies beyond a thing's own box gets no
    coverage, so that a picture does not depend on those that are painted with it.
    """

    def __init__(self, canvas: Canvas, rows: Int64[np.ndarray, " m"], x: Column, y: Column) -> None:
        self._canvas, self._rows, self._x, self._y = canvas, rows, x, y

    def reaching(self, left: Column, right: Column, low: Column, high: Column) -> "Cut":
        """Sets how far the thing reaches from its anchor. One pixel is added on each side for antialiasing."""
        canvas, short = self._canvas, self._canvas.short
        first = np.floor((self._x + left) * short).astype(np.int64) - 1
        top = np.floor((self._y - high) * short).astype(np.int64) - 1
        columns = int(np.ceil((right - left).max() * short)) + 3
        lines = int(np.ceil((high - low).max() * short)) + 3
        self._w, self._h = min(columns, canvas.width), min(lines, canvas.height)
        self._first = np.clip(first, 0, canvas.width - self._w)
        self._top = np.clip(top, 0, canvas.height - self._h)
        return self

    def __enter__(self) -> Window:
        canvas = self._canvas
        colour, mask = self._views()
        across = canvas._x(self._first[:, None] + np.arange(self._w))
        down = canvas._y(self._top[:, None] + np.arange(self._h))
        self._window = Window(
            canvas.pixel,
            across - _tall(self._x),
            _tall(self._y) - down,
            np.ascontiguousarray(colour[self._rows, :, self._top, self._first]),
            mask[self._rows, self._top, self._first],
        )
        return self._window

    def __exit__(self, *_: object) -> None:
        colour, mask = self._views()
        colour[self._rows, :, self._top, self._first] = self._window.colour
        mask[self._rows, self._top, self._first] = self._window.mask

    def _views(self) -> tuple[np.ndarray, np.ndarray]:
        return _sliding(self._canvas.colour, self._h, self._w), _sliding(self._canvas.mask, self._h, self._w)


def wave(turns: np.ndarray) -> np.ndarray:
    """A smooth wave of period 1 and height 1 made of two parabolas per turn: a sine for those who may not call one.

    >>> wave(np.array([0.0, 0.25, 0.5, 0.75]))
    array([ 0.,  1.,  0., -1.])
    """
    z = 1 - 2 * (turns - np.floor(turns))
    return 4 * z * (1 - np.abs(z))


def _sliding(stack: np.ndarray, h: int, w: int) -> np.ndarray:
    """All rectangles of h by w of a stack as a view, by their upper left corners: ``[..., top, left, h, w]``."""
    *outer, height, width = stack.shape
    shape = (*outer, height - h + 1, width - w + 1, h, w)
    return np.lib.stride_tricks.as_strided(stack, shape, stack.strides + stack.strides[-2:])


def limit(values: np.ndarray, high: float = 1.0) -> np.ndarray:
    """Moves ``values``, in place, into [0, high]."""
    np.maximum(values, 0, out=values)
    return np.minimum(values, high, out=values)


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(values, out=values)


def _tall(column: Column | Ids) -> Plane | UInt8[np.ndarray, "m 1 1"]:
    """One value per window, to meet its pixels."""
    return column[:, None, None]
