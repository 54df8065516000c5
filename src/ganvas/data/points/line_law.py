"""Laws on a line with a distribution function in closed form, and the quantiles found from it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

Numbers = Float64[np.ndarray, " n"]

HALVINGS = 200  # Of an interval around a quantile; float64 is exhausted long before.


@dataclass(frozen=True, kw_only=True)
class LineLaw:
    """A law of numbers.

    Attributes:
        below: The distribution function, ``F(x) = P(X <= x)``.
        mean_below: ``E[X; X <= x]``, the mean of what lies below counted with its share; its limit is the mean.
        mean: Of the law; infinite where it has none.
        reach: Two numbers between which quantiles lie, the first and the last among them; they may be infinite.
    """

    below: Callable[[Numbers], Numbers]
    mean_below: Callable[[Numbers], Numbers]
    mean: float
    reach: tuple[float, float]

    def quantiles(self, shares: Numbers) -> Numbers:
        """The least x with ``F(x) >= share``, by halving; the ends of :attr:`reach` for shares of 0 and 1."""
        low, high = self._around(shares)
        for _ in range(HALVINGS):
            middle = low + (high - low) / 2
            if ((middle == low) | (middle == high)).all():
                break
            right = self.below(middle) < shares
            low, high = np.where(right, middle, low), np.where(right, high, middle)
        found = np.where(shares <= 0, self.reach[0], high)
        return np.where(shares >= 1, self.reach[1], found)

    def _around(self, shares: Numbers) -> tuple[Numbers, Numbers]:
        """Finite numbers on both sides of every quantile of a share inside (0, 1)."""
        inner = shares[(shares > 0) & (shares < 1)]
        low, high = (end if np.isfinite(end) else sign for end, sign in zip(self.reach, (-1.0, 1.0), strict=True))
        while inner.size and not np.isfinite(self.reach[0]) and self.below(np.array([low]))[0] >= inner.min():
            low *= 2
        while inner.size and not np.isfinite(self.reach[1]) and self.below(np.array([high]))[0] < inner.max():
            high *= 2
        return np.full(shares.shape, low), np.full(shares.shape, high)
