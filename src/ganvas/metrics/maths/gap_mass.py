"""The least share of a generator's samples between two halves that are apart, by its Lipschitz constant.

Latents are standard normal and the generator moves no two samples more than L times as far apart as their latents. What
it sends to the left half, a share a, and to the right half, a share b, lies at least D/L apart among the latents, D
being the distance of the halves. Of all sets of a share a, a half space has the smallest surroundings (the Gaussian
isoperimetric inequality: Borell 1975, Sudakov & Tsirelson 1974), so that::

    Phi^-1(1 - b) - Phi^-1(a) >= D / L,        and with equal shares:  gap mass >= 2 Phi(D / (2 L)) - 1

No depth, loss or luck gets below it; only L does. Tanielian et al. 2020, Learning disconnected manifolds: a no GANs
land (https://arxiv.org/abs/2006.04596), draw what follows for precision.
"""

import math
from statistics import NormalDist

NORMAL = NormalDist()


def least_gap_mass(left: float, distance: float, lipschitz: float) -> float:
    """The least share of samples between the halves when a share ``left`` lies to their left.

    ``Phi(Phi^-1(left) + D / L) - left``, and for ``left = 1 - right - gap`` with ``left = right`` the bound
    ``2 Phi(D / (2 L)) - 1``. 0 for nothing to the left, or everything.
    """
    if not 0 < left < 1 or distance <= 0:
        return 0.0
    if lipschitz <= 0:
        return 1 - left
    return NORMAL.cdf(NORMAL.inv_cdf(left) + distance / lipschitz) - left


def equal_gap_mass(distance: float, lipschitz: float) -> float:
    """The same when both halves get equally much: ``2 Phi(D / (2 L)) - 1``.

    >>> [round(equal_gap_mass(1.7, lipschitz), 3) for lipschitz in (1, 2, 5, 10, 20, 50)]
    [0.605, 0.329, 0.135, 0.068, 0.034, 0.014]
    """
    return 2 * NORMAL.cdf(distance / (2 * lipschitz)) - 1


def least_lipschitz(left: float, right: float, distance: float) -> float:
    """The smallest L with which shares of ``left`` and ``right`` can be reached: ``D / (Phi^-1(1-b) - Phi^-1(a))``.

    0 where one of the halves gets nothing, infinite where nothing is left for the gap.
    """
    if left <= 0 or right <= 0 or distance <= 0:
        return 0.0
    if left + right >= 1:
        return math.inf
    return distance / (NORMAL.inv_cdf(1 - right) - NORMAL.inv_cdf(left))
