"""Between two parallel lines the Jensen-Shannon divergence is ln 2 however near they are, and Wasserstein's is the gap.

So the one has no slope that would bring them together, and the other has slope 1. This, and not that a divergence is no
distance, is why it is poor to descend.
"""

import math
from collections.abc import Iterator

import numpy as np

from ganvas.claims.distances.jensen_shannon_is_a_distance import jensen_shannon
from ganvas.claims.judging.claim import Case, Identity, Source

PLACES = 64  # Of the grid across the lines.


def cases() -> Iterator[Case]:
    """Both distances for gaps of the grid, against ln 2 and the gap."""
    for gap in (1, 2, 5, 20, 60):
        left, right = _line(0), _line(gap)
        yield Case(name=f"Jensen-Shannon, gap {gap}", error=abs(jensen_shannon(left, right) - math.log(2)))
        yield Case(name=f"Wasserstein, gap {gap}", error=abs(_wasserstein(left, right) - gap))


def twin() -> Iterator[Case]:
    """Lines that lie on each other."""
    yield Case(name="no gap", error=abs(jensen_shannon(_line(0), _line(0)) - math.log(2)))


def _line(at: int) -> np.ndarray:
    """The law across the line: all of it in one place."""
    law = np.zeros(PLACES)
    law[at] = 1.0
    return law


def _wasserstein(p: np.ndarray, q: np.ndarray) -> float:
    """Between laws on a line of whole places: the area between their distribution functions."""
    return float(np.abs(np.cumsum(p - q)).sum())


CLAIM = Identity(
    statement="Between parallel lines Jensen-Shannon is ln 2 at every gap, and Wasserstein is the gap.",
    sources=(
        Source(
            who="Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, example 1",
            stance="agrees",
            link="https://arxiv.org/abs/1701.07875",
        ),
    ),
    scope=f"gaps of 1 to 60 places on a grid of {PLACES}",
    unit="nats, places",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
