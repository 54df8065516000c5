"""Standard errors of density and coverage: from halves, and from what leaving out one picture does.

Halves (:mod:`ganvas.metrics.maths.knn_balls`) show the variance of the value at n/2 without bias. Half of that is the
variance at n only if n times the variance does not depend on n. In many dimensions it grows: some pictures are hubs,
near neighbours of very many others (Radovanović et al. 2010, Hubs in Space, JMLR 11). For density of white features of
length 64, halves alone gave 0.6 to 0.9 of the variance at n, for n from 100 to 1500.

What it grows by is seen by the jackknife, which leaves out one picture at a time and is made at any n. Without a real,
its ball is gone, and the balls that it was one of the k nearest of reach to the next neighbour; without a generated
picture, it is in no ball. The jackknife's own variance is too large (Efron & Stein 1981, The Jackknife Estimate of
Variance, Annals of Statistics 9), because it counts what two or more pictures do together once for each of them: up to
four times for coverage. But it does so in the halves as in the whole, and hubs, who do what they do alone, are counted
once. So the difference is taken:

    variance = mean (left - right)^2 / 4 + max(0, jackknife(whole) - mean jackknife(half) / 2)

Coverage has few empty balls where it is near 1, and its error is small wherever it happens to be too near 1. To it is
added what half a ball more of either kind adds to the variance of a binomial share, which is Jeffreys' rule (Brown, Cai
& DasGupta 2001, Interval Estimation for a Binomial Proportion, Statistical Science 16): a share of 1 has an error too.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from ganvas.metrics.maths import knn_balls
from ganvas.metrics.maths.knn_balls import Census, Parted

SPLITS = 40
ERROR_METHOD = f"{knn_balls.method(SPLITS)}, and the jackknife's growth from half to whole"

Pair = Float64[Tensor, " 2"]  # Of density and of coverage.


def errors(census: Census, *, seed: int) -> tuple[float | None, float | None]:
    """The standard errors of density and of coverage; None where a half has not k neighbours."""
    n, m = len(census.balls.places), census.points
    if min(n, m) // 2 <= census.balls.k:
        return None, None
    squares, halved = [], []
    for sides in knn_balls.halvings(n, m, seed=seed, splits=SPLITS):
        parted = census.parted(*sides)
        left, right = (_pair(tally.density, tally.occupied) for tally in census.tallied(parted, *sides))
        squares.append((left - right).square())
        halved += jackknives(census, parted, *sides)
    (whole,) = everything(census)
    added = _pair(0.0, rare(census.whole.occupied, n))
    density, coverage = (torch.stack(squares).mean(0) / 4 + growth(whole, halved) + added).sqrt().tolist()
    return density, coverage


def growth(
    whole: Float64[Tensor, " values"], halved: Sequence[Float64[Tensor, " values"]]
) -> Float64[Tensor, " values"]:
    """What the variance grows by, from jackknives of the whole and of halves, which have twice its variance."""
    return (whole - torch.stack(list(halved)).mean(0) / 2).clamp_min(0)


def everything(census: Census) -> list[Pair]:
    """The jackknife's variance of the whole."""
    sides = torch.ones(len(census.balls.places), dtype=torch.bool), torch.ones(census.points, dtype=torch.bool)
    return jackknives(census, census.parted(*sides), *sides)


def jackknives(
    census: Census, parted: Parted, left_real: Bool[Tensor, " n"], left_fake: Bool[Tensor, " m"]
) -> list[Pair]:
    """``(n - 1) / n sum (T_i - mean)^2``, ``T_i`` without picture i, over the reals and over the generated, added up.

    Of the left part, and of the right one if there is one.
    """
    n, m, k = len(left_real), len(left_fake), census.balls.k
    held, rim = torch.bincount(parted.ball, minlength=n), torch.bincount(parted.rim, minlength=n)
    holding = torch.bincount(parted.point, minlength=m).double()
    alone = torch.bincount(parted.point[held[parted.ball] == 1], minlength=m).double()  # Balls that hold only this.
    ball, column = parted.nearest.nonzero(as_tuple=True)
    grows = census.balls.places[ball, column]  # Without it, the ball grows.
    more = torch.bincount(grows, rim[ball].double(), n) - held
    filled = torch.bincount(grows, ((held == 0) & (rim > 0))[ball].double(), n) - (held > 0).double()
    found = []
    for reals, fakes in ((left_real, left_fake & census.looked), (~left_real, ~left_fake & census.looked)):
        if reals.any():  # Of the whole, nothing is on the right.
            of_n, of_m = int(reals.sum()), int(fakes.sum())
            density = _jackknife(more[reals] / (k * of_m)) + _jackknife(holding[fakes] / (k * max(1, of_m - 1)))
            coverage = _jackknife(filled[reals] / (of_n - 1)) + _jackknife(alone[fakes] / of_n)
            found.append(_pair(density, coverage))
    return found


def rare(share: float, n: int) -> float:
    """What half a case more of either kind adds to ``p (1 - p) / n``."""
    drawn = (share * n + 0.5) / (n + 1)
    return (drawn * (1 - drawn) - share * (1 - share)) / n


def _jackknife(without: Float64[Tensor, " n"]) -> float:
    n = len(without)
    return float((without - without.mean()).square().sum()) * (n - 1) / n if n else 0.0


def _pair(density: float, coverage: float) -> Pair:
    return torch.tensor([density, coverage], dtype=torch.float64)
