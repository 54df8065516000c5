"""Along one axis of one operation: which inputs an output reads.

Every map says it twice. :meth:`AxisMap.reads` is exact, as a boolean matrix over the indices there are, holes
included. :meth:`AxisMap.reach` is the interval from the first to the last, on indices that go on beyond the borders, as
textbooks count a receptive field (padding included).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Int

Interval = tuple[int, int]  # First and last index, both included.
Places = Int[np.ndarray, " places"]


class AxisMap(ABC):
    """From the outputs of an operation back to its inputs, along one axis."""

    @abstractmethod
    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        """The inputs that each output reads, and which entries hold. They may lie beyond the borders."""

    @abstractmethod
    def reach(self, interval: Interval) -> Interval | None:
        """From the first to the last input that the outputs of an interval read; None when they read none."""

    @property
    def slope(self) -> Fraction | None:
        """Inputs from an output to the next, on average; None where all outputs read the same."""
        return None

    @property
    def even(self) -> bool:
        """Whether every step is alike, or every so many outputs one whole step."""
        return self.slope is None or 1 in (abs(self.slope.numerator), self.slope.denominator)

    def reads(self, outputs: Places, size: int) -> Bool[np.ndarray, "places size"]:
        """Row by row, which of ``size`` inputs an output reads; what lies beyond the borders is nothing."""
        found = np.zeros((len(outputs), size), dtype=bool)
        taps, holds = self.taps(outputs)
        holds = holds & (taps >= 0) & (taps < size)
        rows, columns = np.nonzero(holds)
        found[rows, taps[rows, columns]] = True
        return found


@dataclass(frozen=True)
class Window(AxisMap):
    """Convolution and pooling: output ``o`` reads ``o s - p + k d`` for ``k`` below the kernel's size."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def slope(self) -> Fraction | None:
        return Fraction(self.stride)

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        found = outputs[:, None] * self.stride - self.padding + np.arange(self.kernel) * self.dilation
        return found, np.ones(found.shape, dtype=bool)

    def reach(self, interval: Interval) -> Interval:
        first, last = (end * self.stride - self.padding for end in interval)
        return first, last + (self.kernel - 1) * self.dilation


@dataclass(frozen=True)
class TransposedWindow(AxisMap):
    """Transposed convolution: output ``o`` reads the inputs ``i`` with ``i s - p + k d = o`` for a ``k`` of the kernel.

    Which they are depends on the output's phase, ``o mod s``.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def slope(self) -> Fraction | None:
        return Fraction(1, self.stride)

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        stretched = outputs[:, None] + self.padding - np.arange(self.kernel) * self.dilation
        return stretched // self.stride, stretched % self.stride == 0

    def reach(self, interval: Interval) -> Interval | None:
        period = self.stride  # Phases repeat, so that the ends are found within a period of either end.
        low, high = interval
        ends = np.unique([*range(low, min(low + period, high + 1)), *range(max(high - period + 1, low), high + 1)])
        taps, holds = self.taps(ends)
        return (int(taps[holds].min()), int(taps[holds].max())) if holds.any() else None


@dataclass(frozen=True)
class Affine(AxisMap):
    """One input each: output ``o`` reads ``o step + start``. Slices, concatenation, flips; the identity."""

    step: int = 1
    start: int = 0

    @property
    def slope(self) -> Fraction | None:
        return Fraction(self.step)

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        found = outputs[:, None] * self.step + self.start
        return found, np.ones(found.shape, dtype=bool)

    def reach(self, interval: Interval) -> Interval:
        ends = [end * self.step + self.start for end in interval]
        return min(ends), max(ends)


@dataclass(frozen=True)
class Part(AxisMap):
    """The outputs from ``start`` on, ``size`` of them, read one input each; the others read nothing of this input."""

    start: int
    size: int

    @property
    def slope(self) -> Fraction | None:
        return Fraction(1)

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        found = outputs[:, None] - self.start
        return found, (found >= 0) & (found < self.size)

    def reach(self, interval: Interval) -> Interval | None:
        first, last = max(interval[0] - self.start, 0), min(interval[1] - self.start, self.size - 1)
        return (first, last) if first <= last else None


@dataclass(frozen=True)
class Outside(AxisMap):
    """Each output reads its own place, but for those of a slice, which read nothing: others were written there."""

    first: int
    stop: int
    step: int

    @property
    def slope(self) -> Fraction | None:
        return Fraction(1)

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        written = (outputs >= self.first) & (outputs < self.stop) & ((outputs - self.first) % self.step == 0)
        return outputs[:, None], ~written[:, None]

    def reach(self, interval: Interval) -> Interval | None:
        inside = self.step == 1 and self.first <= interval[0] and interval[1] < self.stop
        return None if inside else interval


@dataclass(frozen=True)
class All(AxisMap):
    """Every output reads every one of ``size`` inputs: linear maps, means, softmax, channels of a convolution."""

    size: int

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        found = np.broadcast_to(np.arange(self.size), (len(outputs), self.size))
        return found, np.ones(found.shape, dtype=bool)

    def reach(self, interval: Interval) -> Interval:
        return 0, self.size - 1


@dataclass(frozen=True)
class Statistics(All):
    """Every output reads all of ``size`` inputs, and the place where it stands: mean and deviation of a map.

    Its own place may lie beyond the borders, where an interval on a plane without any has come to.
    """

    def reach(self, interval: Interval) -> Interval:
        return min(interval[0], 0), max(interval[1], self.size - 1)

    @property
    def slope(self) -> Fraction | None:
        return Fraction(1)


@dataclass(frozen=True)
class Upto(AxisMap):
    """Every output reads its own place and those before it, of ``size``: running sums, causal attention, recurrence."""

    size: int

    @property
    def slope(self) -> Fraction | None:
        return Fraction(1)

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        found = np.broadcast_to(np.arange(self.size), (len(outputs), self.size))
        return found, found <= outputs[:, None]

    def reach(self, interval: Interval) -> Interval:
        return min(interval[0], 0), interval[1]


@dataclass(frozen=True)
class Groups(AxisMap):
    """Channels of a grouped convolution: an output channel reads the input channels of its group."""

    inputs: int
    outputs: int
    groups: int

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        width = self.inputs // self.groups
        found = (outputs // (self.outputs // self.groups))[:, None] * width + np.arange(width)
        return found, np.ones(found.shape, dtype=bool)

    def reach(self, interval: Interval) -> Interval:
        width, group = self.inputs // self.groups, self.outputs // self.groups
        return interval[0] // group * width, (interval[1] // group + 1) * width - 1


@dataclass(frozen=True)
class Table(AxisMap):
    """Anything that is a list: which inputs each output reads. Resizes, adaptive pools, padding by reflection.

    Beyond its borders the map goes on with the slope ``len(inputs) / len(outputs)`` that it has inside, so that an
    interval which left the picture in a later layer keeps its length.
    """

    rows: tuple[tuple[int, ...], ...]
    inputs: int
    ratio: Fraction | None = None  # Inputs per output, where it is not that of the sizes.

    @property
    def slope(self) -> Fraction | None:
        return self.ratio or (Fraction(self.inputs, len(self.rows)) if len(self.rows) > 1 else None)

    def taps(self, outputs: Places) -> tuple[Int[np.ndarray, "places taps"], Bool[np.ndarray, "places taps"]]:
        width = max(map(len, self.rows))
        padded = np.array([[*row, *[-1] * (width - len(row))] for row in self.rows])
        inside = (outputs >= 0) & (outputs < len(self.rows))
        found = padded[np.where(inside, outputs, 0)]
        return found, (found >= 0) & inside[:, None]

    def reach(self, interval: Interval) -> Interval | None:
        low, high = interval
        before, after = self._beyond(low), self._beyond(high)
        inside = self.rows[max(low, 0) : max(high + 1, 0)]
        ends = [end for row in inside for end in (row[:1] + row[-1:])] if low <= high else []
        ends = [min(ends), max(ends)] if ends else []
        ends += [end for end in (before, after) if end is not None]
        return (min(ends), max(ends)) if ends else None

    def _beyond(self, place: int) -> int | None:
        if 0 <= place < len(self.rows):
            return None
        slope = self.inputs / len(self.rows)
        over = place if place < 0 else place - len(self.rows) + 1
        return math.floor(over * slope) if place < 0 else self.inputs - 1 + math.ceil(over * slope)


@dataclass(frozen=True)
class Padding(Table):
    """Padding that repeats what is inside. On a plane without borders it is a shift, as padding with zeros is."""

    before: int = 0

    @property
    def slope(self) -> Fraction | None:
        return Fraction(1)

    def reach(self, interval: Interval) -> Interval | None:
        low, high = interval[0] - self.before, interval[1] - self.before
        inside = self.rows[max(interval[0], 0) : max(interval[1] + 1, 0)]
        return min([low, *(row[0] for row in inside)]), max([high, *(row[0] for row in inside)])


Follows = tuple[int | None, AxisMap]  # The axis of the output, and how; None where no axis of the output says.
IDENTITY = Affine()
NOTHING = Part(0, 0)


def resize(
    inputs: int,
    outputs: int,
    *,
    mode: str,
    align_corners: bool | None,
    scale: float | None = None,
    antialias: bool = False,
) -> AxisMap:
    """``torch.nn.functional.interpolate`` along one axis.

    Args:
        mode: "nearest", "nearest-exact", "linear" (of bilinear and trilinear too), "cubic", "area".
        scale: Outputs per input where the caller gave it and torch was to use it; else the ratio of the sizes.
        antialias: Whether the kernel is as much wider as the picture becomes smaller.
    """
    if mode == "area":
        return adaptive(inputs, outputs)
    if mode == "nearest" and outputs % inputs == 0:
        return Table(tuple((o * inputs // outputs,) for o in range(outputs)), inputs)
    ratio = 1 / scale if scale else inputs / outputs
    exact = 1 / Fraction(scale).limit_denominator(1 << 16) if scale else None
    if mode in ("nearest", "nearest-exact"):
        half = 0.5 if mode == "nearest-exact" else 0.0
        return Table(tuple((min(int((o + half) * ratio), inputs - 1),) for o in range(outputs)), inputs, exact)
    if align_corners:
        at = [o * (inputs - 1) / (outputs - 1) if outputs > 1 else 0.0 for o in range(outputs)]
        exact = Fraction(inputs - 1, outputs - 1) if outputs > 1 and inputs > 1 else None
    else:
        at = [(o + 0.5) * ratio - 0.5 for o in range(outputs)]
    if antialias and ratio > 1:
        half = ratio * (1 if mode == "linear" else 2)
        return Table(tuple(_within(place, half, inputs) for place in at), inputs, exact)
    around = (0, 1) if mode == "linear" else (-1, 0, 1, 2)
    return Table(tuple(_neighbours(place, around, inputs) for place in at), inputs, exact)


def _neighbours(place: float, around: Sequence[int], inputs: int) -> tuple[int, ...]:
    """The inputs with a weight other than zero; on an input exactly, it alone. Borders are repeated."""
    base = math.floor(place + 1e-9)
    offsets = (0,) if abs(place - base) < 1e-9 else around
    return tuple(sorted({min(max(base + offset, 0), inputs - 1) for offset in offsets}))


def _within(place: float, half: float, inputs: int) -> tuple[int, ...]:
    """The inputs nearer than the kernel's half width, whose own edge has no weight."""
    first, last = math.floor(place - half + 1e-9) + 1, math.ceil(place + half - 1e-9) - 1
    return tuple(range(max(first, 0), min(last, inputs - 1) + 1))


def adaptive(inputs: int, outputs: int) -> Table:
    """Adaptive pooling: output ``o`` reads from ``floor(o n / m)`` to ``ceil((o + 1) n / m) - 1``."""
    return Table(
        tuple(tuple(range(o * inputs // outputs, -(-(o + 1) * inputs // outputs))) for o in range(outputs)), inputs
    )


def padded(inputs: int, before: int, after: int, *, mode: str) -> AxisMap:
    """``torch.nn.functional.pad``: a constant reads nothing, the other modes repeat what is inside."""
    if mode == "constant":
        return Affine(start=-before)
    rows = []
    for place in range(-before, inputs + after):
        if mode == "replicate":
            rows.append((min(max(place, 0), inputs - 1),))
        elif mode == "circular":
            rows.append((place % inputs,))
        else:  # Reflection about the outermost pixels.
            period = max(2 * (inputs - 1), 1)
            folded = place % period
            rows.append((min(folded, period - folded) if inputs > 1 else 0,))
    return Padding(tuple(rows), inputs, before=before)
