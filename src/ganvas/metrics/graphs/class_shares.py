"""Frequencies of classes of isomorphism, against the probabilities of a law, by Pearson's chi-square.

Of n independent graphs of the law, ``X^2 = sum (O - n p)^2 / (n p)`` has exactly the mean ``k - 1`` and the variance
``2 (k - 1) + (sum 1/p - k^2 - 2 k + 2) / n`` (Haldane 1937), whatever n is; the probability of a larger one is that of
the chi-square distribution, which holds for expected counts of 5 and more.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ganvas.data.graphs.isomorphism import Keys


@dataclass(frozen=True, kw_only=True)
class ClassShares:
    """Counts of classes held against a law.

    Attributes:
        statistic: ``X^2 / (k - 1)``: 1 in the mean for draws of the law.
        deviation: Of the statistic, for draws of the law.
        p: The probability of a larger one for draws of the law.
        covered: The share of the law's probability whose classes were drawn at all.
    """

    statistic: float
    deviation: float
    p: float
    covered: float


def class_shares(keys: Keys, law: Mapping[int, float]) -> ClassShares:
    """Graphs of the law's classes, by their keys; there are at least one graph and two classes."""
    shares = np.array(list(law.values()))
    counts = np.array([np.count_nonzero(keys == np.uint64(key)) for key in law], np.float64)
    n, classes = len(keys), len(shares)
    squared = float(((counts - n * shares) ** 2 / (n * shares)).sum())
    variance = 2 * (classes - 1) + (float((1 / shares).sum()) - classes**2 - 2 * classes + 2) / n
    half = torch.tensor([(classes - 1) / 2, squared / 2], dtype=torch.float64)
    return ClassShares(
        statistic=squared / (classes - 1),
        deviation=math.sqrt(variance) / (classes - 1),
        p=float(torch.special.gammaincc(half[0], half[1])),
        covered=float(shares[counts > 0].sum()),
    )
