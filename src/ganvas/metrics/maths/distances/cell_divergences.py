"""Divergences of two laws of points in a plane that are cut into the same cells: sums over cells, nothing is drawn.

What is of cells is at most what is of the laws themselves, since no map of the plane makes a divergence larger (data
processing): finer cells find more.

- jensen_shannon: ``KL(p, m) / 2 + KL(q, m) / 2`` with ``m = (p + q) / 2``, in nats, at most log 2. What the generator
  of Goodfellow et al. 2014 descends, theorem 1. https://arxiv.org/abs/1406.2661
- pearson: ``sum (p - q)^2 / (p + q)``, from 0 to 2; half of it is what least squares descend with b - c = 1 and
  b - a = 2. Mao et al. 2017, theorem 1. https://arxiv.org/abs/1611.04076
- total_variation: ``sum |p - q| / 2``, the largest difference that any set of cells shows. What the hinge descends
  against the best discriminator: Lim and Ye 2017, Geometric GAN. https://arxiv.org/abs/1705.02894
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from ganvas.data.points.law import CellMasses, Edges

Masses = Float64[np.ndarray, " m"]  # Of cells and of what lies outside them; they sum to 1.


@dataclass(frozen=True, kw_only=True)
class CellDivergences:
    """Of a model q from a law p."""

    jensen_shannon: float
    pearson: float
    total_variation: float
    reverse_kl: float  # KL(q, p) in nats; infinite where q has mass and p has none.
    missed: float  # Mass of p in cells without any of q; KL(p, q) is infinite where there is some.


def cell_divergences(p: Masses, q: Masses) -> CellDivergences:
    """Every divergence between two laws by their masses in the same cells.

    >>> found = cell_divergences(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    >>> found.jensen_shannon == math.log(2), found.total_variation, found.pearson, found.reverse_kl
    (True, 1.0, 2.0, inf)
    """
    either = (p + q) > 0
    middle = (p + q) / 2
    return CellDivergences(
        jensen_shannon=(_kl(p, middle) + _kl(q, middle)) / 2,
        pearson=float(((p - q)[either] ** 2 / (p + q)[either]).sum()),
        total_variation=float(np.abs(p - q).sum() / 2),
        reverse_kl=_kl(q, p),
        missed=float(p[q == 0].sum()),
    )


def masses_of_points(points: Float64[np.ndarray, "n 2"], x: Edges, y: Edges) -> Masses:
    """Of points of equal mass, cell by cell, and last what lies outside; what is no number lies there too."""
    held = np.histogram2d(points[:, 1], points[:, 0], bins=(y, x))[0].ravel() / len(points)
    return np.append(held, 1 - held.sum())


def with_outside(masses: CellMasses) -> Masses:
    """The same form for masses in closed form."""
    return np.append(masses.ravel(), max(1 - float(masses.sum()), 0.0))


def _kl(p: Masses, q: Masses) -> float:
    has = p > 0
    if (q[has] == 0).any():
        return math.inf
    return float((p[has] * np.log(p[has] / q[has])).sum())
