"""Laws of points with edges: uniform boxes that are apart, and Pareto tails.

A continuous generator maps a connected cloud of latents, so that its samples are connected too, and a Lipschitz one of
normal latents has tails as thin as theirs. Boxes that are apart and Pareto tails are the laws that such a generator
cannot have; how far it falls short is known in closed form.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from ganvas.data.points.law import CellMasses, Centres, Dice, Edges, Gap, Marks, Mixture, part_of
from ganvas.data.points.line_law import LineLaw, Numbers


@dataclass(frozen=True, kw_only=True)
class Boxes(Mixture):
    """Uniform boxes that do not touch, all equally likely. A side may have no length: then there is no density."""

    low: Centres  # The lower corner of every box, (k, d); along the first axis boxes stand from left to right.
    high: Centres

    @property
    def gap(self) -> Gap | None:
        """Of two boxes that stand side by side."""
        if self.parts != 2:
            return None
        return Gap(low=float(self.high[0, 0]), high=float(self.low[1, 0]))

    def log_density(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"] | None:
        """``-log(k volume)`` within a box, minus infinity outside; None where a side has no length."""
        volume = (self.high - self.low).prod(1)
        if not volume.all():
            return None
        within = ((points[:, None] >= self.low) & (points[:, None] <= self.high)).all(2)
        with np.errstate(divide="ignore"):
            return np.log((within / (self.parts * volume)).sum(1))

    def on_a_line(self) -> LineLaw | None:
        """Of segments."""
        if self.dims != 1:
            return None
        low, high = self.low[:, 0], self.high[:, 0]
        return LineLaw(
            below=lambda x: ((np.clip(x[:, None], low, high) - low) / (high - low)).mean(1),
            mean_below=lambda x: ((np.clip(x[:, None], low, high) ** 2 - low**2) / (2 * (high - low))).mean(1),
            mean=float((low + high).mean() / 2),
            reach=(float(low.min()), float(high.max())),
        )

    def cell_masses(self, x: Edges, y: Edges) -> CellMasses | None:
        """Shares of the boxes' area; None where a side has no length, whose mass lies on edges of cells."""
        sides = self.high - self.low
        if self.dims != 2 or not sides.all():
            return None
        across, upwards = (
            np.diff(np.clip(edges, self.low[:, axis, None], self.high[:, axis, None]), axis=1) / sides[:, axis, None]
            for axis, edges in enumerate((x, y))
        )
        return np.einsum("kr,kc->rc", upwards, across) / self.parts

    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        marks = part_of(dice(), np.full(self.parts, 1 / self.parts))
        along = np.stack([dice() for _ in range(self.dims)], axis=1)
        return self.low[marks] + along * (self.high - self.low)[marks], marks


@dataclass(frozen=True, kw_only=True)
class Pareto(Mixture):
    """Distances r >= 1 from the origin with ``P(R > r) = r^-alpha``: to the right on a line, all around in a plane."""

    alpha: float

    @property
    def tail(self) -> float:
        """``1 / alpha``."""
        return 1 / self.alpha

    def log_density(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """``log(alpha r^(-alpha - 1))``, in a plane less ``log(2 pi r)``; minus infinity below 1."""
        radius = points[:, 0] if self.dims == 1 else np.sqrt((points**2).sum(1))
        at = np.maximum(radius, 1.0)
        logs = math.log(self.alpha) - (self.alpha + 1) * np.log(at)
        around = 0.0 if self.dims == 1 else np.log(2 * np.pi * at)
        return np.where(radius >= 1, logs - around, -np.inf)

    def on_a_line(self) -> LineLaw | None:
        """``F(x) = 1 - x^-alpha``. An alpha of at most 1 has no mean, and so no distance to anything."""
        if self.dims != 1:
            return None
        return LineLaw(below=self._below, mean_below=self._mean_below, mean=self._mean(), reach=(1.0, math.inf))

    def _below(self, x: Numbers) -> Numbers:
        return 1 - np.maximum(x, 1.0) ** -self.alpha

    def _mean(self) -> float:
        return self.alpha / (self.alpha - 1) if self.alpha > 1 else math.inf

    def _mean_below(self, x: Numbers) -> Numbers:
        """``alpha / (alpha - 1) (1 - x^(1 - alpha))``, and ``log x`` for an alpha of 1."""
        at = np.maximum(x, 1.0)
        if self.alpha == 1:
            return np.log(at)
        return self.alpha / (self.alpha - 1) * (1 - at ** (1 - self.alpha))

    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        """By the quantile: ``r = u^(-1 / alpha)``."""
        radius = dice() ** (-1 / self.alpha)
        marks = np.zeros(radius.shape, np.int64)
        if self.dims == 1:
            return radius[:, None], marks
        turn = 2 * np.pi * dice()
        return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1), marks
