"""The polynomial kernel, taken so that a small discrepancy keeps its digits: from the middle of the rows.

A discrepancy by ``(gamma x.y + coef0)^degree`` is a difference of means that are large beside it. With c in the middle,
x = c + u and y = c + v ::

    gamma x.y + coef0 = level + t,   level = gamma c.c + coef0,   t = gamma (u.v + c.u + c.v)

and of ``(level + t)^degree`` the constant ``level^degree`` cancels in every discrepancy and in its variance. What is
left is a polynomial in t, and t is small: float32 gives ten times more digits so than from x and y (2,048 features
after a ReLU).
"""

import functools
import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ganvas.metrics.maths import matmul


@dataclass(frozen=True)
class Tile:
    """Some rows, counted from the centre, and what products with many other tiles have in common."""

    rows: Float[Tensor, "n d"]
    along: Float[Tensor, " n"]  # Their products with the centre.

    def __len__(self) -> int:
        return len(self.rows)

    @functools.cached_property
    def factor(self) -> matmul.Factor:
        return matmul.factor(self.rows)


class Polynomial:
    """``(gamma x.y + coef0)^degree - level^degree`` of every pair of two tiles."""

    def __init__(
        self, centre: Float[Tensor, " d"], *, degree: int = 3, gamma: float | None = None, coef0: float = 1.0
    ) -> None:
        """``gamma`` is 1/d by default. Any ``centre`` gives the same discrepancy; the mean loses the fewest digits."""
        self.centre, self.gamma = centre, 1 / len(centre) if gamma is None else gamma
        level = self.gamma * centre.double().square().sum() + coef0
        # Of t^(degree - 1) down to t^1, as tensors: beyond what float32 holds they become infinite, as the tiles do.
        self._factors = [math.comb(degree, k) * level**k for k in range(1, degree)]

    def tile(self, x: Float[Tensor, "n d"], *, in_place: bool = False) -> Tile:
        """Rows as they are; ``in_place`` where nobody else needs them."""
        centre = self.centre.to(x.dtype)
        rows = x.sub_(centre) if in_place else x - centre
        return Tile(rows, rows @ centre)

    def __call__(self, u: Tile, v: Tile) -> Float[Tensor, "n m"]:
        t = matmul.times(u.factor, v.rows).add_(u.along[:, None]).add_(v.along).mul_(self.gamma)
        if not self._factors:
            return t
        whole = t + self._factors[0].to(t.dtype)
        for factor in self._factors[1:]:
            whole.mul_(t).add_(factor.to(t.dtype))
        return whole.mul_(t)
