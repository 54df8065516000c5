"""Shares of runs that diverged, in two arms with shared seeds: exact bounds on their difference, and evidence of looks.

A seed counts 1 where the first arm alone diverged, -1 where the second alone did, and 0 where neither or both did. The
sum of these is all that a verdict depends on. Its law has two chances; a bound is by the worst of all pairs of them
whose difference is the one in question, so it is wrong with at most the chance that it names, however few seeds there
are. Suissa & Shuster 1991, The 2 x 2 Matched-Pairs Trial, do so of a difference of nothing, by another statistic.
"""

import bisect
import functools
import math
from collections.abc import Iterator

import numpy as np

from ganvas.claims.judging import student

GRID = 51  # Pairs of chances that the worst is looked for among.
STAKES = 20  # That evidence is averaged over.


@functools.cache
def chance(excess: int, n: int, difference: float) -> float:
    """The largest chance that the sum over ``n`` seeds is ``excess`` or more, were the shares to differ by so much.

    >>> round(chance(5, 5, 0.0), 4)  # Five wins of five, and wins no likelier than losses.
    0.0312
    """
    loss = np.linspace(0, (1 - abs(difference)) / 2, GRID) + max(-difference, 0.0)
    win = loss + difference
    step = np.zeros((GRID, 2 * n + 1))  # From -n to n on a circle, 0 first.
    step[:, 0], step[:, 1], step[:, -1] = 1 - win - loss, win, loss
    law = np.fft.irfft(np.fft.rfft(step) ** n, step.shape[1])
    reached = law[:, np.arange(excess, n + 1) % (2 * n + 1)].sum(1)
    return float(np.clip(reached.max(), 0.0, 1.0))


@functools.cache
def bounds(excess: int, n: int, alpha: float) -> tuple[float, float]:
    """Two bounds on the difference of shares, each wrong with a chance of at most ``alpha``."""
    return _low(excess, n, alpha), -_low(-excess, n, alpha)


def _low(excess: int, n: int, alpha: float) -> float:
    if excess == -n:
        return -1.0
    return student.solve(lambda difference: chance(excess, n, difference) - alpha, -1.0, 1.0)


@functools.cache
def detectable(n: int, alpha: float, threshold: float, *, found: float = 0.8) -> float | None:
    """How far beyond a threshold the first arm's share lies that is found with that chance, were the second's none.

    None where even a first arm that diverges for every seed would not be found.
    """
    least = bisect.bisect_left(range(n + 1), True, key=lambda excess: chance(excess, n, threshold) <= alpha)
    if least > n:
        return None
    share = student.solve(lambda p: _at_least(least, n, p) - found, threshold, 1.0)
    return share - threshold


def _at_least(wins: int, n: int, p: float) -> float:
    """The chance of so many wins of ``n`` or more, where one has the chance ``p``."""
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(wins, n + 1))


def betting_evidence(effects: np.ndarray, least: float) -> Iterator[float]:
    """Evidence after each effect, of numbers from -1 to 1, that their mean is more than ``least``.

    It is what a stake of 1 has become that is bet, in parts, on every next effect to be above ``least``; were the mean
    no more than that, it would ever reach 1 / alpha with at most the chance alpha (Waudby-Smith & Ramdas 2024,
    Estimating means of bounded random variables by betting, https://arxiv.org/abs/2010.09686).
    """
    parts = (np.arange(STAKES) + 0.5) / STAKES / (1 + least)
    stakes = np.ones(STAKES)
    for effect in effects.tolist():
        stakes = stakes * (1 + parts * (effect - least))
        yield float(stakes.mean())
