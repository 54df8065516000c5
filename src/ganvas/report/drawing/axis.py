"""Scales from numbers to pixels, and ticks at numbers that a person would choose."""

import math
from dataclasses import dataclass

import numpy as np

from ganvas.core.number_text import minus, number

LINEAR_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A map of the values ``low..high`` to the pixels ``start..end``, linear or logarithmic."""

    low: float
    high: float
    start: float  # Pixel of ``low``.
    end: float  # Pixel of ``high``; below ``start`` for a vertical axis, where pixels count downwards.
    log: bool = False

    def __post_init__(self) -> None:
        assert self.high > self.low
        assert self.low > 0 or not self.log

    def __call__(self, value: float) -> float:
        """The pixel of a value: ``start + (end - start) (f(v) - f(low)) / (f(high) - f(low))``, f linear or log."""
        return float(self.array(np.asarray(value, float)))

    def array(self, values: np.ndarray) -> np.ndarray:
        """The same for many values; on a logarithmic scale what is not positive has no place (``nan``, ``-inf``)."""
        if not self.log:
            return np.asarray(self.start + (self.end - self.start) * (values - self.low) / (self.high - self.low))
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (np.log(values) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return np.asarray(self.start + (self.end - self.start) * part)

    def ticks(self, most: int, *, whole: bool = False) -> list[float]:
        """At most ``most`` round numbers inside the range, ascending; ``whole`` ones for what is counted."""
        if self.log:
            return log_ticks(self.low, self.high, most)
        return linear_ticks(self.low, self.high, most, whole=whole)


def linear_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten, as many as fit but at most ``most``.

    Args:
        whole: Whole numbers alone, as of pixels, with steps of 4 in place of 2.5.

    >>> linear_ticks(0, 60, 7), linear_ticks(-0.3, 0.9, 5)
    ([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0], [-0.25, 0.0, 0.25, 0.5, 0.75])
    >>> linear_ticks(20, 30, 5), linear_ticks(20, 30, 5, whole=True)
    ([20.0, 22.5, 25.0, 27.5, 30.0], [20.0, 24.0, 28.0])
    """
    span = high - low
    power = math.floor(math.log10(span / max(most, 1)))
    steps = [base * 10.0**exponent for exponent in range(power, power + 3) for base in LINEAR_STEPS[:-1]]
    if whole:
        steps = [1, 2, 4, 5, *(step for step in steps if step >= 10)]
    for step in steps:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [float(f"{index * step:.12g}") for index in range(first, last + 1)]
    return []


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten, with their doubles and fives where there is room; a range within one decade is ticked evenly.

    >>> log_ticks(0.5, 2000, 6), log_ticks(3, 400, 8)
    ([1.0, 10.0, 100.0, 1000.0], [5.0, 10.0, 20.0, 50.0, 100.0, 200.0])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for mantissas in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{m}e{e}") for e in range(first, last + 1) for m in mantissas]
        found = [value for value in found if low <= value * (1 + 1e-9) and value <= high * (1 + 1e-9)]
        if 3 <= len(found) <= most:
            return found
    decades = [float(f"1e{e}") for e in range(first, last + 1) if low <= 10.0**e <= high]
    if len(decades) > most:
        return decades[:: math.ceil(len(decades) / most)]
    return linear_ticks(low, high, most) if high / low < 30 else decades


def span(values: np.ndarray, *, log: bool, pad: float = 0.05) -> tuple[float, float]:
    """A range that shows all finite values with a margin; never empty. A linear one reaches down to a near zero."""
    finite = values[np.isfinite(values) & (values > 0 if log else True)]
    if finite.size == 0:
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if log:
        margin = max((high / low) ** pad, 1.1)
        return low / margin, high * margin
    if 0 < low < high / 3:
        low = 0.0
    margin = (high - low) * pad or abs(high) * pad or 1.0
    return (low if low == 0 else low - margin), high + margin


def tick_text(value: float, ticks: list[float]) -> str:
    """A tick as text, with the decimals that its neighbours need; thousands as k and millions as M below 10^12.

    >>> [tick_text(value, [0.0, 0.25, 0.5]) for value in (0.0, 0.25)], tick_text(25000, [0.0, 25000.0])
    (['0', '0.25'], '25k')
    """
    if value == 0:
        return "0"
    largest = max(abs(tick) for tick in ticks)
    if 10_000 <= largest < 1e12 and abs(value) >= 1000:
        unit, name = (1e6, "M") if abs(value) >= 1e6 else (1e3, "k")
        return minus(f"{value / unit:.6g}{name}")
    return number(value, digits=6)
