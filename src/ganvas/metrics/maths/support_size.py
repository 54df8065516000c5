"""The number of different things that a generator makes, by the birthday paradox.

Arora & Zhang 2017, Do GANs actually learn the distribution? An empirical study (https://arxiv.org/abs/1706.08224).
Among s samples that are equally often one of N things, two are alike with the probability ``1 - exp(-s^2 / 2N)`` about,
so that s is about the root of N when half of the batches have a twin. Every pair of a sample says the same with less
noise: it is alike with the probability 1/N, and ``N = 1 / share of pairs that are alike``. Where things are not equally
frequent that is the number of things that would collide as often, ``1 / sum p^2``, at most their number.

Points are alike within a small distance, so that a continuous law has a finite number too: what matters is that its own
samples collide more seldom. A generator that repeats its training points shows their number.
"""

import math

import numpy as np
import torch
from jaxtyping import Float64, Int64

ROWS = 1024  # Of a matrix of distances that are in memory at once.


def twins(points: Float64[np.ndarray, "n d"], *, within: float) -> Int64[np.ndarray, " n"]:
    """How many of the other points lie within a distance of each; a point that is not finite has none."""
    exact = torch.from_numpy(points)
    near = []
    for rows in exact.split(ROWS):
        distance = torch.cdist(rows, exact, compute_mode="donot_use_mm_for_euclid_dist")
        near.append((distance <= within).sum(1))
    return torch.cat(near).numpy() - np.isfinite(points).all(1)


def support_size(counts: Int64[np.ndarray, " n"]) -> float:
    """``n (n - 1) / sum of twins``: infinite when no two points are alike."""
    n, alike = len(counts), int(counts.sum())
    return n * (n - 1) / alike if alike else math.inf


def support_size_error(counts: Int64[np.ndarray, " n"]) -> float | None:
    """Standard error by the delta method on the share c of pairs, a U statistic.

    ``var c = 4 var(twins / (n - 1)) / n + 2 c (1 - c) / (n (n - 1))``: the second part is what pairs add when all
    points contribute alike. None without a pair.
    """
    n, alike = len(counts), int(counts.sum())
    if n < 3 or not alike:
        return None
    share = alike / (n * (n - 1))
    pairs = 2 * share * (1 - share) / (n * (n - 1))
    contributed = (counts / (n - 1)).var(ddof=1) - share * (1 - share) / (n - 1)  # Less the noise of n - 1 coins.
    return math.sqrt(4 * max(contributed, 0.0) / n + pairs) / share**2


def twin_probability(batch: int, things: float) -> float:
    """That some two of a batch are alike, ``1 - exp(-s^2 / 2N)``.

    >>> [round(twin_probability(s, n), 2) for s, n in ((12, 100), (37, 1000), (118, 10000))]
    [0.51, 0.5, 0.5]
    """
    return 1 - math.exp(-(batch**2) / (2 * things))
