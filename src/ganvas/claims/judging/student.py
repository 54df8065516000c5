"""Student's t distribution for whole degrees of freedom, and the power of a paired one-sided test. No library needed.

Abramowitz & Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4, have the distribution as a finite sum.
"""

import functools
import math
from collections.abc import Callable

import numpy as np

GRID = 2001  # Points of the integral over the sample's deviation.


def cdf(t: float, df: int) -> float:
    """The chance that Student's t with ``df`` degrees of freedom is below ``t``.

    >>> cdf(1.0, 1)
    0.75
    """
    angle = math.atan(t / math.sqrt(df))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = df % 2
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(odd, df - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    within = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return 0.5 + within / 2


@functools.cache
def quantile(chance: float, df: int) -> float:
    """The t that ``cdf`` says ``chance`` of."""
    return solve(lambda t: cdf(t, df) - chance, -1e5, 1e5)


def power(effect: float, n: int, alpha: float) -> float:
    """The chance that a one-sided paired t test of ``n`` seeds at ``alpha`` finds an effect.

    Args:
        effect: Mean difference beyond the threshold, in standard deviations of the difference.
    """
    df = n - 1
    critical = quantile(1 - alpha, df)
    u = np.linspace(1e-6, 1 + 8 / math.sqrt(df), GRID)  # The sample's deviation by the true one.
    log_density = (df - 1) * np.log(u) - df * u**2 / 2
    density = np.exp(log_density - log_density.max())
    z = effect * math.sqrt(n) - critical * u
    found = np.array([math.erfc(-one / math.sqrt(2)) / 2 for one in z.tolist()])
    return float((found * density).sum() / density.sum())


@functools.cache
def detectable(n: int, alpha: float, *, chance: float = 0.8) -> float:
    """The least effect, in standard deviations of the difference, that ``n`` seeds find with that chance."""
    return solve(lambda effect: power(effect, n, alpha) - chance, 0.0, 1e3)


def solve(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses 0, by halving."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
