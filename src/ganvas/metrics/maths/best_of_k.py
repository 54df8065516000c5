"""The best of k settings: what a search under a budget may be expected to find, and how sure that is.

Lucic et al. 2018 (https://arxiv.org/abs/1711.10337, section 6) ask for the distribution of the best of k settings in
the place of the best of all. Of n settings that were tried, k are taken without putting any back; the mean of their
best over all such subsets is a sum over order statistics, and needs no drawing:

    ``E[max of k] = sum_i x_(i) C(i - 1, k - 1) / C(n, k)``,  x_(1) <= ... <= x_(n)

which has no bias for the k that were not tried, unlike the form with replacement (Tang et al. 2020, Showing Your Work
Doesn't Always Work, section 3, https://arxiv.org/abs/2004.13705).
"""

import math

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, " n"]
Curve = Float[np.ndarray, " n"]

RESAMPLED = 1000


def expected_best(values: Values, *, lower_is_better: bool) -> Curve:
    """The expected best of k = 1 ... n of n values.

    >>> expected_best(np.array([3.0, 1.0, 2.0]), lower_is_better=True).round(3).tolist()
    [2.0, 1.333, 1.0]
    """
    ordered = np.sort(-values if lower_is_better else values)
    found = _weights(len(values)) @ ordered
    return -found if lower_is_better else found


def bootstrap_interval(
    values: Values, *, lower_is_better: bool, rng: np.random.Generator, level: float = 0.95, resampled: int = RESAMPLED
) -> tuple[Curve, Curve]:
    """The pointwise interval of :func:`expected_best` when settings are drawn anew from those that were tried."""
    n = len(values)
    weights = _weights(n)
    drawn = np.sort((-values if lower_is_better else values)[rng.integers(0, n, (resampled, n))], axis=1)
    curves = drawn @ weights.T
    curves = -curves if lower_is_better else curves
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _weights(n: int) -> Float[np.ndarray, "n n"]:
    """Of the i-th smallest value (column) in the mean of the greatest of k (row)."""
    rows = [[math.comb(i, k - 1) / math.comb(n, k) for i in range(n)] for k in range(1, n + 1)]
    return np.array(rows)
