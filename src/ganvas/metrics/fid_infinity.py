"""FID extrapolated to infinitely many generated pictures, which takes out the bias that few of them bring.

Chong and Forsyth 2020, Effectively Unbiased FID and Inception Score and where to find them.
https://arxiv.org/abs/1911.07023

FID is taken at 15 numbers of pictures, from 5,000 (or a tenth of all, where that is less) to all of them, against the
whole reference; the value is where the straight line through FID over 1/n meets 1/n = 0. Models with different bias
compare by it; values of two n nearly do. What the finite reference adds stays in. Values around 0 may be negative.
The line is one only where n is well above the number of features (2048): below 5,000 pictures mistrust it.

Standard error: infinitesimal jackknife over the pictures of both sides, and the scatter of the points around the line,
carried to its end.

Departs from the paper, whose public ports draw each of the 15 subsets anew and unseeded: the subsets are the beginnings
of one random order of the places in the set, so that neither batches nor ranks change it and all cost one pass; and
the known part of each subset's luck (its pictures' mean influence on FID less that of all) is subtracted, which takes a
quarter off the error and changes no mean.

Memory: FID's, and two matrices of 33 MB.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import tracked
from ganvas.core.results import Result
from ganvas.core.seeds import stream
from ganvas.metrics.accumulators.feature_rows import BLOCK
from ganvas.metrics.maths import frechet
from ganvas.metrics.maths.distances import moments
from ganvas.metrics.maths.distances.moments import Moments
from ganvas.metrics.maths.frechet import Gaussian, Influence

NAME = "fid_infinity"
TITLE = "FID, extrapolated"
BETTER = "lower"
SEES = "features"
NETWORK = "inception"
COST = "fifteen FIDs"
EQUAL = False
UNBIASED = True
MINIMUM = 20

BOTH = "infinitesimal jackknife over pictures of both sides, and scatter around the line"
ONE = "infinitesimal jackknife over generated pictures (the reference is moments alone), and scatter around the line"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value. The defaults are the paper's."""

    points: int = 15
    smallest: int = 5000  # Pictures at the first point; a tenth of all, where that is less.

    def __post_init__(self) -> None:
        if self.points < 3 or self.smallest < 2:
            raise UserError(
                f"points={self.points} from {self.smallest} pictures on cannot be: a line with an error needs at least "
                "3 points, a covariance at least 2 pictures."
            )


TINY = Config(points=6)


class Accumulator(Moments):
    """Every row of features of one set, or the moments of a reference."""

    Config = Config


@dataclass(frozen=True, kw_only=True)
class Line:
    """Least squares of values over 1/n."""

    intercept: float
    slope: float
    error: float  # Of the intercept, from the scatter of the points.


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The extrapolated distance ("fid_infinity")."""
    moments.require(real, fake, title=TITLE, minimum=MINIMUM)
    _, of_fake, of_real = frechet.distance_and_influences(fake.gaussian(), real.gaussian())
    counts = sizes(fake.n, fake.config)
    found, luck, spread = [], [], 0.0
    steps = tracked(_beginnings(fake, counts, of_fake), NAME, total=len(counts), unit="points", quiet=quiet)
    for gaussian, mean, variance in steps:
        found.append(frechet.distance(gaussian, real.gaussian()))
        luck.append(mean)
        spread = variance
    line = fit(counts, np.array(found) - np.array(luck) + luck[-1])
    pictures = spread / fake.n + (0.0 if real.given else real.spread(of_real))
    result = Result(
        metric=NAME,
        value=line.intercept,
        standard_error=(pictures + line.error**2) ** 0.5,
        error_method=ONE if real.given else BOTH,
        n=fake.n,
        seed=fake.seed,
        better=BETTER,
        protocol=f"{moments.protocol(fake, NAME, real)}:points{len(counts)}from{counts[0]}",
    )
    return [result]


def sizes(n: int, config: Config) -> list[int]:
    """How many pictures there are at each point, evenly spaced.

    >>> sizes(50_000, Config(points=4)), sizes(20, Config())
    ([5000, 20000, 35000, 50000], [2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 20])
    """
    first = min(config.smallest, max(n // 10, 2))
    return sorted({int(size) for size in np.linspace(first, n, config.points)})


def fit(counts: list[int], values: np.ndarray) -> Line:
    """``values = intercept + slope / n`` by least squares."""
    design = np.stack([np.ones(len(counts)), 1 / np.array(counts)], 1)
    solve = np.linalg.pinv(design)
    intercept, slope = solve @ values
    scatter = float(((values - design @ (solve @ values)) ** 2).sum()) / max(len(counts) - 2, 1)
    return Line(intercept=float(intercept), slope=float(slope), error=(scatter * float((solve[0] ** 2).sum())) ** 0.5)


def _beginnings(side: Accumulator, counts: list[int], influence: Influence) -> Iterator[tuple[Gaussian, float, float]]:
    """For the first so many pictures in a random order: their Gaussian, and mean and variance of their influence."""
    places = side.tables["index"].all().long().argsort(stable=True)
    places = places[torch.randperm(side.n, generator=stream(side.seed, NAME, "order"))]
    rows, centre = side.tables["rows"], influence.mean
    total, square = torch.zeros_like(centre), torch.zeros(len(centre), len(centre), dtype=torch.float64)
    moved: list[Tensor] = []
    for start, count in zip([0, *counts], counts, strict=False):
        for some in places[start:count].split(BLOCK):
            block = rows.take(some).double()
            moved.append(influence.of(block))
            block -= centre
            total += block.sum(0)
            square.addmm_(block.T, block)
        own = torch.cat(moved)
        yield _gaussian(side, places[:count], centre, total, square), float(own.mean()), float(own.var())


def _gaussian(side: Accumulator, places: Tensor, centre: Tensor, total: Tensor, square: Tensor) -> Gaussian:
    """Of the pictures so far, from their sums about ``centre``; from their rows where these are fewer than features."""
    n = len(places)
    if n <= len(centre):
        return frechet.gaussian_of_rows(side.tables["rows"].take(places))
    return frechet.gaussian_of_moments(centre + total / n, (square - total.outer(total) / n) / (n - 1))
