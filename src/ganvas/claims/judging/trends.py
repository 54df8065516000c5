"""Trends over the levels of a factor: how far each seed's values rise along their line, and how many are in order."""

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64


def rises(values: Float64[np.ndarray, "levels seeds"], doses: Sequence[float]) -> Float64[np.ndarray, " seeds"]:
    """From the first dose to the last along the line of least squares through a seed's values.

    >>> rises(np.array([[1.0], [2.0], [5.0]]), [0, 1, 2])
    array([4.])
    """
    apart = np.asarray(doses, np.float64) - np.mean(doses)
    return (doses[-1] - doses[0]) * (apart @ values) / (apart @ apart)


def in_order(values: Sequence[Sequence[float]]) -> float:
    """The share of pairs of levels, of all seeds, of which the higher has the larger value; of ties a half.

    It is Kendall's tau between levels and values, as a share: all pairs of a trend that no seed departs from.

    >>> in_order([[1, 1], [2, 2], [3, 1]])
    0.75
    """
    pairs = itertools.combinations(np.asarray(values, np.float64), 2)
    return float(np.mean([(1 + np.sign(higher - lower)) / 2 for lower, higher in pairs]))
