"""The exact Wasserstein distance of numbers to a law on a line.

``W1 = integral over u of | F_n^-1(u) - Q(u) |`` (Vallender 1974, Calculation of the Wasserstein distance between
probability distributions on the line). The quantile function of n numbers is a step of width 1/n for each, and the
law's own crosses a step at most once, at ``u = F(x)``. So every step is two integrals of Q, which are differences of
``E[X; X <= x]``: nothing is drawn and nothing is binned.
"""

import math

import numpy as np
from jaxtyping import Float64

from ganvas.data.points.line_law import LineLaw


def wasserstein_to_law(numbers: Float64[np.ndarray, " n"], law: LineLaw) -> float:
    """W1 between the numbers, each with the weight 1/n, and the law. Infinite where either has no mean."""
    if not (np.isfinite(numbers).all() and math.isfinite(law.mean)):
        return math.inf
    n, at = len(numbers), np.sort(numbers)
    edges = np.arange(n + 1) / n
    quantiles = law.quantiles(edges)
    below = np.concatenate([[0.0], law.mean_below(quantiles[1:-1]), [law.mean]])  # Integral of Q from 0 to each edge.
    share = law.below(at)
    crossing = np.clip(share, edges[:-1], edges[1:])
    inside = law.mean_below(at)
    at_crossing = np.where(share <= edges[:-1], below[:-1], np.where(share >= edges[1:], below[1:], inside))
    left = at * (crossing - edges[:-1]) - (at_crossing - below[:-1])
    right = (below[1:] - at_crossing) - at * (edges[1:] - crossing)
    return float((left + right).sum())


def wasserstein_error(numbers: Float64[np.ndarray, " n"], law: LineLaw) -> float | None:
    """Standard error of W1 as that of the law behind the numbers, by its influence function (the delta method).

    ``W1 = integral of |G - F|`` moves with a number x by the integral over t >= x of ``sign(G(t) - F(t))``, G being the
    distribution function of the numbers. Where both laws are one the distance is all noise, and so is its sign: then
    the error is only of the right size.
    """
    n, at = len(numbers), np.sort(numbers)
    if n < 2 or not np.isfinite(at).all():
        return None
    between = (at[1:] + at[:-1]) / 2
    sign = np.sign(np.arange(1, n) / n - law.below(between))
    beyond = np.concatenate([np.cumsum((sign * np.diff(at))[::-1])[::-1], [0.0]])
    return float(beyond.std(ddof=1) / math.sqrt(n))
