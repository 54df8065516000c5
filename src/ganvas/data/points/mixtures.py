"""Mixtures: points in one or two dimensions whose law is known. A built-in data set.

A generator of points can be judged by counting: how many modes it reaches, and how many of its samples lie at one.
The ring of eight and the grid of twenty-five are the sets on which losses of adversarial networks are compared:

- ring8: Metz et al. 2017, Unrolled Generative Adversarial Networks, appendix A (radius 2, standard deviation 0.02; with
  radius 1 and 0.01, as in PacGAN, it is the same set at half the size). https://arxiv.org/abs/1611.02163
- grid25: Srivastava et al. 2017, VEEGAN, and Lin et al. 2018, PacGAN (spacing 2, standard deviation 0.05).
  https://arxiv.org/abs/1705.07761, https://arxiv.org/abs/1712.04086

A point is a pure function of (seed, index): it is the same alone, in any order, and in any block. Normal numbers come
from Box and Muller's formula in float64, so that a mathematical library that rounds a logarithm otherwise could move a
point of another machine by one step of float32, once in millions.
"""

import abc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt64

from ganvas.data.scenes.factors import mix

PointRows = Float32[np.ndarray, "n d"]
Centres = Float64[np.ndarray, "k d"]
Marks = Int64[np.ndarray, " n"]  # The mode, ring or arm that a point was drawn from.
Dice = Callable[[], Float64[np.ndarray, " n"]]  # A fresh uniform number in (0, 1) per point with every call.

_GOLDEN, _APART = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x5851F42D4C957F2D)


@dataclass(frozen=True, kw_only=True)
class Mixture(abc.ABC):
    """A law of points."""

    summary: str
    dims: int
    parts: int  # Modes, rings or arms: labels are 0 to parts - 1.

    def points(self, indices: Int64[np.ndarray, " n"], *, seed: int = 0) -> tuple[PointRows, Marks]:
        """Some points of the set with that seed, and the part that each was drawn from."""
        points, marks = self._draw(_uniforms(seed, indices))
        return points.astype(np.float32), marks

    def log_density(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"] | None:
        """The logarithm of the law's density in nats, or None where it has no closed form."""
        del points
        return None

    @abc.abstractmethod
    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        """Points from uniform numbers, as many points as a call of the dice gives numbers."""


@dataclass(frozen=True, kw_only=True)
class Gaussians(Mixture):
    """Round normal distributions of one standard deviation at given centres."""

    centres: Centres
    sigma: float
    shares: Float64[np.ndarray, " k"]

    def log_density(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """``log sum_k share_k N(x; centre_k, sigma^2)``."""
        squares = ((points[:, None, :] - self.centres) ** 2).sum(2) / self.sigma**2
        logs = np.log(self.shares) - squares / 2 - self.dims * math.log(self.sigma * math.sqrt(2 * math.pi))
        most = logs.max(1)
        return most + np.log(np.exp(logs - most[:, None]).sum(1))

    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        marks = _part(dice(), self.shares)
        return self.centres[marks] + self.sigma * _normals(dice, self.dims), marks


@dataclass(frozen=True, kw_only=True)
class Rings(Mixture):
    """Circles around the origin, all equally likely, with a normal radius."""

    radii: Float64[np.ndarray, " k"]
    sigma: float

    def log_density(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """Of radius r: ``log 1/k sum_k (phi((r - R_k)/s) + phi((r + R_k)/s)) / (2 pi r s)``.

        A radius below zero lies across the origin, at minus itself.
        """
        radius = np.sqrt((points**2).sum(1))
        offsets = np.concatenate([radius[:, None] - self.radii, radius[:, None] + self.radii], axis=1) / self.sigma
        logs = -(offsets**2) / 2 - math.log(self.sigma * math.sqrt(2 * math.pi) * self.parts)
        most = logs.max(1)
        return most + np.log(np.exp(logs - most[:, None]).sum(1)) - np.log(2 * np.pi * radius)

    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        marks = _part(dice(), np.full(self.parts, 1 / self.parts))
        turn = 2 * np.pi * dice()
        radius = self.radii[marks] + self.sigma * _normals(dice, 1)[:, 0]
        return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1), marks


@dataclass(frozen=True, kw_only=True)
class Spiral(Mixture):
    """Arms that wind outwards from the origin: radius and angle grow together. Round noise is added.

    A point's share of the way along its arm is uniform, so that points lie thinner further out.
    """

    turns: float  # Of each arm around the origin.
    inner: float  # Radius where an arm begins.
    outer: float
    sigma: float

    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        marks = _part(dice(), np.full(self.parts, 1 / self.parts))
        along = dice()
        angle = 2 * np.pi * (self.turns * along + marks / self.parts)
        radius = self.inner + (self.outer - self.inner) * along
        on_arm = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return on_arm + self.sigma * _normals(dice, 2), marks


def _gaussians(summary: str, centres: object, sigma: float, shares: object = None) -> Gaussians:
    at = np.asarray(centres, np.float64)
    weights = np.ones(len(at)) if shares is None else np.asarray(shares, np.float64)
    return Gaussians(
        summary=summary, dims=at.shape[1], parts=len(at), centres=at, sigma=sigma, shares=weights / weights.sum()
    )


def _circle(count: int, radius: float) -> Centres:
    turn = 2 * np.pi * np.arange(count) / count
    return radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def _grid(side: int, spacing: float) -> Centres:
    line = spacing * (np.arange(side) - (side - 1) / 2)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)


MIXTURES: Final[Mapping[str, Mixture]] = {
    "ring8": _gaussians("Eight Gaussians on a circle of radius 2", _circle(8, 2.0), 0.02),
    "ring8_wide": _gaussians("Eight broad Gaussians on a circle of radius 2", _circle(8, 2.0), 0.2),
    "ring8_unequal": _gaussians(
        "Eight Gaussians on a circle of radius 2, each half as likely as the one before",
        _circle(8, 2.0),
        0.02,
        0.5 ** np.arange(8),
    ),
    "grid25": _gaussians("Twenty-five Gaussians on a grid of five by five", _grid(5, 2.0), 0.05),
    "pair": _gaussians("Two Gaussians on a line, four apart", [[-2.0], [2.0]], 0.5),
    "line8": _gaussians("Eight Gaussians on a line", 2.0 * (np.arange(8) - 3.5)[:, None], 0.1),
    "rings": Rings(
        summary="Three circles around one centre", dims=2, parts=3, radii=np.array([1.0, 2.0, 3.0]), sigma=0.05
    ),
    "spiral": Spiral(
        summary="Two arms that wind outwards", dims=2, parts=2, turns=1.5, inner=0.2, outer=4.0, sigma=0.08
    ),
    "swiss_roll": Spiral(
        summary="One sheet rolled up, seen from its end", dims=2, parts=1, turns=1.5, inner=1.0, outer=4.0, sigma=0.1
    ),
}


def _part(uniform: Float64[np.ndarray, " n"], shares: Float64[np.ndarray, " k"]) -> Marks:
    """The part into whose share a uniform number falls."""
    edges = np.cumsum(shares)[:-1]
    return (uniform[:, None] >= edges).sum(1).astype(np.int64)


def _normals(dice: Dice, dims: int) -> Float64[np.ndarray, "n d"]:
    """Standard normal numbers by Box and Muller: ``sqrt(-2 log u) cos(2 pi v)``."""
    return np.stack([np.sqrt(-2 * np.log(dice())) * np.cos(2 * np.pi * dice()) for _ in range(dims)], axis=1)


def _uniforms(seed: int, indices: Int64[np.ndarray, " n"]) -> Dice:
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
