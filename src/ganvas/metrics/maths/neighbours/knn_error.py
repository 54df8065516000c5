"""Standard errors of metrics that count balls: from halves, and from what leaving out one picture does.

An estimator of our own: the parts are published (below), and their sum is not. Its intervals were simulated; the pages
of the metrics say where they hold the mean and where not.

*Halves.* Both sets are parted at random into two, in which everything is found anew, radii included; two halves share
no picture, so a quarter of the mean squared difference of their values, over some splits, is the variance of the whole.
That counts what a binomial error does not: one real in a thin place may hold many generated pictures, and balls
overlap.

*Growth.* Halves show the variance of the value at n/2 without bias. Half of that is the variance at n only if n times
the variance does not depend on n. In many dimensions it grows: some pictures are hubs, near neighbours of very many
others (Radovanović et al. 2010, Hubs in Space, JMLR 11). For density of white features of length 64, halves alone gave
0.6 to 0.9 of the variance at n, for n from 100 to 1500. What it grows by is seen by the jackknife, which leaves out one
picture at a time and is made at any n. Its own variance is too large (Efron & Stein 1981, The Jackknife Estimate of
Variance, Annals of Statistics 9), because it counts what two or more pictures do together once for each of them: up to
four times for coverage. But it does so in the halves as in the whole, and hubs, who do what they do alone, are counted
once. So the difference is taken::

    variance = mean (left - right)^2 / 4 + max(0, jackknife(whole) - mean jackknife(half) / 2)

*Without one picture.* Its ball is gone, and points that lay in no other ball are left uncovered; but balls of which it
was one of the k nearest reach to the next neighbour, and what lies in the rim is covered then. As a point it is not
counted. A real is the middle of a ball of precision, density and coverage, and a point of recall; a generated picture
the other way round. F1 is taken of both at once.

*Rare cases.* A share that happens to be near 0 or 1 has a small error. To it is added what half a case more of either
kind adds to the variance of a binomial share, which is Jeffreys' rule (Brown, Cai & DasGupta 2001, Interval Estimation
for a Binomial Proportion, Statistical Science 16): a share of 1 has an error too.

Where points stand for others (:data:`ganvas.metrics.maths.neighbours.knn_balls.PAIRS`), precision and recall take
halves alone.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from ganvas.core.seeds import stream
from ganvas.metrics.maths.neighbours.knn_balls import Census, Parted, f1

SPLITS = 20
DENSITY_SPLITS = 40  # Of density and coverage.
HALVES = "{} random splits of both sets into halves"
BY_HALVES = HALVES.format(SPLITS)
BY_HALVES_AND_GROWTH = f"{BY_HALVES}, and the jackknife's growth from half to whole"
OF_DENSITY = f"{HALVES.format(DENSITY_SPLITS)}, and the jackknife's growth from half to whole"

Values = Float64[Tensor, " values"]  # Density and coverage; or F1, precision and recall.
LeftOf = tuple[Bool[Tensor, " n"], Bool[Tensor, " m"]]  # Which reals and which generated pictures are left.
Halved = Callable[[Tensor, Tensor], Sequence[Sequence[float]]]


def spread(values: Halved, reals: int, fakes: int, *, seed: int, splits: int = SPLITS) -> list[float]:
    """Standard errors of some values, from ``values(left_real, left_fake)``: those of the left halves and of the right.

    Two halves of n are independent with twice the variance of the whole, so that ``E (left - right)^2 = 4 var``.
    """
    squares = []
    for left_real, left_fake in halvings(reals, fakes, seed=seed, splits=splits):
        left, right = (torch.tensor(list(half), dtype=torch.float64) for half in values(left_real, left_fake))
        squares.append((left - right).square())
    return (torch.stack(squares).mean(0) / 4).sqrt().tolist()


def halvings(reals: int, fakes: int, *, seed: int, splits: int = SPLITS) -> Iterator[tuple[Tensor, Tensor]]:
    """Random splits of both sets into halves: which rows are left."""
    for split in range(splits):
        yield _half(reals, seed, "real", split), _half(fakes, seed, "fake", split)


def jackknife(without: Float64[Tensor, "n values"]) -> Values:
    """``(n - 1) / n sum (T_i - mean)^2``, with ``T_i`` the values without picture i."""
    n = len(without)
    return (without - without.mean(0)).square().sum(0) * (n - 1) / n if n else without.new_zeros(without.shape[1])


def growth(whole: Values, halved: Sequence[Values]) -> Values:
    """What the variance grows by, from jackknives of the whole and of halves, which have twice its variance."""
    return (whole - torch.stack(list(halved)).mean(0) / 2).clamp_min(0)


def rare(share: float, n: int) -> float:
    """What half a case more of either kind adds to ``p (1 - p) / n``."""
    drawn = (share * n + 0.5) / (n + 1)
    return (drawn * (1 - drawn) - share * (1 - share)) / n


def of_density_and_coverage(census: Census, *, seed: int) -> tuple[float | None, float | None]:
    """The standard errors of density and of coverage; None where a half has not k neighbours."""
    n, m = len(census.balls.places), census.points
    if min(n, m) // 2 <= census.balls.k:
        return None, None
    squares, halved = [], []
    for sides in halvings(n, m, seed=seed, splits=DENSITY_SPLITS):
        parted = census.parted(*sides)
        left, right = (_pair(tally.density, tally.occupied) for tally in census.tallied(parted, *sides))
        squares.append((left - right).square())
        halved += density_jackknives(census, parted, sides)
    (whole,) = density_jackknives(census, census.parted(*whole_of(n, m)), whole_of(n, m))
    added = _pair(0.0, rare(census.whole.occupied, n))
    density, coverage = (torch.stack(squares).mean(0) / 4 + growth(whole, halved) + added).sqrt().tolist()
    return density, coverage


def density_jackknives(census: Census, parted: Parted, sides: LeftOf) -> list[Values]:
    """The jackknife's variance of density and coverage: over the reals and over the generated, added up.

    Of the left part, and of the right one if there is one.
    """
    n, m, k = len(sides[0]), len(sides[1]), census.balls.k
    held, rim = torch.bincount(parted.ball, minlength=n), torch.bincount(parted.rim, minlength=n)
    holding = torch.bincount(parted.point, minlength=m).double()
    alone = torch.bincount(parted.point[held[parted.ball] == 1], minlength=m).double()  # Balls that hold only this.
    ball, column = parted.nearest.nonzero(as_tuple=True)
    grows = census.balls.places[ball, column]  # Without it, the ball grows.
    more = torch.bincount(grows, rim[ball].double(), n) - held
    filled = torch.bincount(grows, ((held == 0) & (rim > 0))[ball].double(), n) - (held > 0).double()
    found = []
    for reals, points in (sides, _other(sides)):
        if reals.any():  # Of the whole, nothing is on the right.
            fakes = points & census.looked
            of_n, of_m = int(reals.sum()), int(fakes.sum())
            without_real = torch.stack([more[reals] / (k * of_m), filled[reals] / (of_n - 1)], -1)
            without_fake = torch.stack([holding[fakes] / (k * max(1, of_m - 1)), alone[fakes] / of_n], -1)
            found.append(jackknife(without_real) + jackknife(without_fake))
    return found


def with_f1(precision: Float64[Tensor, "*n"], recall: Float64[Tensor, "*n"]) -> Float64[Tensor, "*n 3"]:
    """F1, precision and recall."""
    return torch.stack([f1(precision, recall), precision, recall], -1)


def of_precision_and_recall(censuses: Sequence[Census], *, seed: int) -> list[float | None]:
    """The standard errors of F1, precision and recall; None where a half has not k neighbours.

    Args:
        censuses: Of the balls around reals, and of those around generated pictures.
    """
    n, m, k = len(censuses[0].balls.places), censuses[0].points, censuses[0].balls.k
    if min(n, m) // 2 <= k:
        return [None] * 3
    thinned = not all(bool(census.looked.all()) for census in censuses)
    squares, halved = [], []
    for sides in halvings(n, m, seed=seed, splits=SPLITS):
        parted = _parted(censuses, sides)
        left, right = (with_f1(*shares) for shares in _covered(censuses, parted, sides))
        squares.append((left - right).square())
        halved += [] if thinned else precision_jackknives(censuses, parted, sides)
    variance = torch.stack(squares).mean(0) / 4
    if not thinned:
        sides = whole_of(n, m)
        (whole,) = precision_jackknives(censuses, _parted(censuses, sides), sides)
        variance += growth(whole, halved)
    shares = torch.tensor([census.whole.covered for census in censuses], dtype=torch.float64)
    variance += _added(shares, m, n)
    return variance.sqrt().tolist()


def precision_jackknives(censuses: Sequence[Census], parted: Sequence[Parted], sides: LeftOf) -> list[Values]:
    """The jackknife's variance of F1, precision and recall: over the reals and over the generated, added up.

    Of the left part, and of the right one if there is one.
    """
    found = []
    for reals, fakes in (sides, _other(sides)):
        if not reals.any():  # Of the whole, nothing is on the right.
            continue
        precision = without(censuses[0], parted[0], reals, fakes)
        recall = without(censuses[1], parted[1], fakes, reals)
        found.append(jackknife(with_f1(precision[0], recall[1])) + jackknife(with_f1(precision[1], recall[0])))
    return found


def without(
    census: Census, parted: Parted, balls: Bool[Tensor, " n"], points: Bool[Tensor, " m"]
) -> tuple[Float64[Tensor, " left_n"], Float64[Tensor, " left_m"]]:
    """The share of points that some ball covers, without each ball, and without each point, of a part."""
    n, m = len(balls), len(points)
    holding = torch.bincount(parted.point, minlength=m)
    covered = (holding > 0) & points
    sole = holding[parted.point] == 1
    owner = torch.full((m,), -1)
    owner[parted.point[sole]] = parted.ball[sole]
    lost = torch.bincount(parted.ball[sole], minlength=n)
    near = holding[parted.rim_point] <= 1  # A point in two balls is covered whatever is left out.
    ball, point = parted.rim[near], parted.rim_point[near]
    pair, column = parted.nearest[ball].nonzero(as_tuple=True)
    gone, point = census.balls.places[ball[pair], column].long(), point[pair]
    counts = (holding[point] == 0) | (owner[point] == gone)  # Covered anew, or by another ball than its own.
    back = torch.unique(gone[counts] * m + point[counts]) // m
    changed = torch.bincount(back, minlength=n) - lost
    of_m, count = int(points.sum()), int(covered.sum())
    left_ball = (count + changed[balls]).double() / of_m
    left_point = (count - covered[points].long()).double() / max(1, of_m - 1)
    return left_ball, left_point


def whole_of(n: int, m: int) -> LeftOf:
    """All pictures on the left, and nothing on the right."""
    return torch.ones(n, dtype=torch.bool), torch.ones(m, dtype=torch.bool)


def _half(count: int, seed: int, side: str, split: int) -> Bool[Tensor, " count"]:
    order = torch.randperm(count, generator=stream(seed, "halves", side, split))
    return order < count // 2


def _other(sides: LeftOf) -> LeftOf:
    return ~sides[0], ~sides[1]


def _parted(censuses: Sequence[Census], sides: LeftOf) -> list[Parted]:
    return [census.parted(*order) for census, order in zip(censuses, (sides, sides[::-1]), strict=True)]


def _covered(censuses: Sequence[Census], parted: Sequence[Parted], sides: LeftOf) -> list[list[Float64[Tensor, ""]]]:
    """Precision and recall of the left parts, and of the right ones."""
    tallies = (
        census.tallied(one, *order) for census, one, order in zip(censuses, parted, (sides, sides[::-1]), strict=True)
    )
    return [[torch.tensor(tally.covered, dtype=torch.float64) for tally in side] for side in zip(*tallies, strict=True)]


def _added(shares: Float64[Tensor, " 2"], m: int, n: int) -> Values:
    """Of precision over m points, of recall over n, and of F1 by its slopes."""
    precision, recall = shares.tolist()
    of_precision, of_recall = rare(precision, m), rare(recall, n)
    both = precision + recall
    slopes = (2 * recall**2 / both**2, 2 * precision**2 / both**2) if both else (1.0, 1.0)
    of_f1 = slopes[0] ** 2 * of_precision + slopes[1] ** 2 * of_recall
    return torch.tensor([of_f1, of_precision, of_recall], dtype=torch.float64)


def _pair(density: float, coverage: float) -> Values:
    return torch.tensor([density, coverage], dtype=torch.float64)
