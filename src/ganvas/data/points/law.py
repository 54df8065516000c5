"""Laws of points: what every mixture offers, and the hashed uniform numbers that its points are made of.

A point is a pure function of (seed, index): it is the same alone, in any order, and in any block. Normal numbers come
from Box and Muller's formula in float64, so that a mathematical library that rounds a logarithm otherwise could move a
point of another machine by one step of float32, once in millions.
"""

import abc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt64

from ganvas.core.hashes.splitmix import mix
from ganvas.data.points.line_law import LineLaw

PointRows = Float32[np.ndarray, "n d"]
Centres = Float64[np.ndarray, "k d"]
Marks = Int64[np.ndarray, " n"]  # The mode, ring or arm that a point was drawn from.
Edges = Float64[np.ndarray, " _"]  # Ascending, along one axis.
CellMasses = Float64[np.ndarray, "rows columns"]  # One row and column fewer than edges.
Dice = Callable[[], Float64[np.ndarray, " n"]]  # A fresh uniform number in (0, 1) per point with every call.

_GOLDEN, _APART = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x5851F42D4C957F2D)


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The strip ``low < x < high`` of the first coordinate, with half of the law on either side of it."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """How far apart the two sides are."""
        return self.high - self.low


@dataclass(frozen=True, kw_only=True)
class Mixture(abc.ABC):
    """A law of points."""

    summary: str
    dims: int
    parts: int  # Modes, rings or arms: labels are 0 to parts - 1.

    def points(self, indices: Int64[np.ndarray, " n"], *, seed: int = 0) -> tuple[PointRows, Marks]:
        """Some points of the set with that seed, and the part that each was drawn from."""
        points, marks = self._draw(uniforms(seed, indices))
        return points.astype(np.float32), marks

    @property
    def gap(self) -> Gap | None:
        """The strip between two halves of the law that are apart; None where it has no such halves."""
        return None

    @property
    def tail(self) -> float | None:
        """What Hill's estimator finds of the distances from the origin: 1/alpha of a Pareto tail; None without one."""
        return None

    def on_a_line(self) -> LineLaw | None:
        """The distribution function and what goes with it, of a law in one dimension that has it in closed form."""
        return None

    def log_density(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"] | None:
        """The logarithm of the law's density in nats, or None where it has no closed form."""
        del points
        return None

    def cell_masses(self, x: Edges, y: Edges) -> CellMasses | None:
        """The law's mass in the cells between edges of a plane, rows from bottom to top; None without a closed form."""
        del x, y
        return None

    @abc.abstractmethod
    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        """Points from uniform numbers, as many points as a call of the dice gives numbers."""


def part_of(uniform: Float64[np.ndarray, " n"], shares: Float64[np.ndarray, " k"]) -> Marks:
    """The part into whose share a uniform number falls."""
    edges = np.cumsum(shares)[:-1]
    return (uniform[:, None] >= edges).sum(1).astype(np.int64)


def normals(dice: Dice, dims: int) -> Float64[np.ndarray, "n d"]:
    """Standard normal numbers by Box and Muller: ``sqrt(-2 log u) cos(2 pi v)``."""
    return np.stack([np.sqrt(-2 * np.log(dice())) * np.cos(2 * np.pi * dice()) for _ in range(dims)], axis=1)


def uniforms(seed: int, indices: Int64[np.ndarray, " n"]) -> Dice:
    """The k-th call gives numbers hashed from (seed, index, k), with 52 bits, never 0 and never 1."""
    key, calls = _key(seed, indices), 0

    def dice() -> Float64[np.ndarray, " n"]:
        nonlocal calls
        calls += 1
        bits = mix(key + np.array([calls], np.uint64) * _GOLDEN) >> np.uint64(12)
        return (bits.astype(np.float64) + 0.5) / 2.0**52

    return dice


def _key(seed: int, indices: Int64[np.ndarray, " n"]) -> UInt64[np.ndarray, " n"]:
    """A stream of its own for every (seed, index); not that of the scenes."""
    start = mix(np.array([seed % 2**64], dtype=np.uint64) + _APART)
    return mix(start ^ mix((indices.astype(np.uint64) + np.uint64(1)) * _GOLDEN))
