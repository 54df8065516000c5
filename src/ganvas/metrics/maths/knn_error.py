"""Standard errors of precision, recall and F1: from halves, and from what leaving out one picture does.

As for density and coverage (:mod:`ganvas.metrics.maths.knn_growth`, which says why): halves miss what n times the
variance grows by, and it is found as the difference of two jackknives ::

    variance = mean (left - right)^2 / 4 + max(0, jackknife(whole) - mean jackknife(half) / 2)

Without a picture its ball is gone, and points that lay in no other ball are left uncovered; but balls of which it was
one of the k nearest reach to the next neighbour, and what lies in the rim is covered then. As a point it is not
counted. A generated picture is a point of precision and the middle of a ball of recall, a real one the other way round,
and F1 is taken of both at once.

A share that happens to be near 0 or 1 has a small error; to it is added what half a case more adds (Jeffreys' rule).

Where points stand for others (:data:`ganvas.metrics.maths.knn_balls.PAIRS`), halves alone are taken.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from ganvas.metrics.maths import knn_balls
from ganvas.metrics.maths.knn_balls import SPLITS, Census, Parted
from ganvas.metrics.maths.knn_growth import growth, rare

Three = Float64[Tensor, " 3"]  # F1, precision, recall.
ERROR_METHOD = f"{knn_balls.method(SPLITS)}, and the jackknife's growth from half to whole"
Side = tuple[Bool[Tensor, " n"], Bool[Tensor, " m"]]  # Which reals and which generated pictures are left.


def three(precision: Float64[Tensor, "*n"], recall: Float64[Tensor, "*n"]) -> Float64[Tensor, "*n 3"]:
    """With F1, 0 where both are."""
    both = precision + recall
    f1 = torch.where(both > 0, 2 * precision * recall / both.where(both > 0, torch.ones_like(both)), 0.0)
    return torch.stack([f1, precision, recall], -1)


def errors(censuses: Sequence[Census], *, seed: int) -> list[float | None]:
    """The standard errors of F1, precision and recall; None where a half has not k neighbours.

    Args:
        censuses: Of the balls around reals, and of those around generated pictures.
    """
    n, m, k = len(censuses[0].balls.places), censuses[0].points, censuses[0].balls.k
    if min(n, m) // 2 <= k:
        return [None] * 3
    thinned = not all(bool(census.looked.all()) for census in censuses)
    squares, halved = [], []
    for sides in knn_balls.halvings(n, m, seed=seed, splits=SPLITS):
        parted = _parted(censuses, sides)
        left, right = (three(*shares) for shares in _covered(censuses, parted, sides))
        squares.append((left - right).square())
        halved += [] if thinned else jackknives(censuses, parted, sides)
    variance = torch.stack(squares).mean(0) / 4
    if not thinned:
        everything = torch.ones(n, dtype=torch.bool), torch.ones(m, dtype=torch.bool)
        (whole,) = jackknives(censuses, _parted(censuses, everything), everything)
        variance += growth(whole, halved)
    shares = torch.tensor([census.whole.covered for census in censuses], dtype=torch.float64)
    variance += _added(shares, m, n)
    return variance.sqrt().tolist()


def jackknives(censuses: Sequence[Census], parted: Sequence[Parted], sides: Side) -> list[Three]:
    """``(n - 1) / n sum (T_i - mean)^2`` over the reals and over the generated, added up.

    Of the left part, and of the right one if there is one.
    """
    found = []
    for reals, fakes in (sides, _other(sides)):
        if not reals.any():  # Of the whole, nothing is on the right.
            continue
        precision = without(censuses[0], parted[0], reals, fakes)
        recall = without(censuses[1], parted[1], fakes, reals)
        found.append(_jackknife(three(precision[0], recall[1])) + _jackknife(three(precision[1], recall[0])))
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


def _other(sides: Side) -> Side:
    return ~sides[0], ~sides[1]


def _parted(censuses: Sequence[Census], sides: Side) -> list[Parted]:
    return [census.parted(*order) for census, order in zip(censuses, (sides, sides[::-1]), strict=True)]


def _covered(censuses: Sequence[Census], parted: Sequence[Parted], sides: Side) -> list[list[Float64[Tensor, ""]]]:
    """Precision and recall of the left parts, and of the right ones."""
    tallies = (
        census.tallied(one, *order) for census, one, order in zip(censuses, parted, (sides, sides[::-1]), strict=True)
    )
    return [[torch.tensor(tally.covered, dtype=torch.float64) for tally in side] for side in zip(*tallies, strict=True)]


def _added(shares: Float64[Tensor, " 2"], m: int, n: int) -> Three:
    """Of precision over m points, of recall over n, and of F1 by its slopes."""
    precision, recall = shares.tolist()
    of_precision, of_recall = rare(precision, m), rare(recall, n)
    both = precision + recall
    slopes = (2 * recall**2 / both**2, 2 * precision**2 / both**2) if both else (1.0, 1.0)
    of_f1 = slopes[0] ** 2 * of_precision + slopes[1] ** 2 * of_recall
    return torch.tensor([of_f1, of_precision, of_recall], dtype=torch.float64)


def _jackknife(values: Float64[Tensor, "n 3"]) -> Three:
    n = len(values)
    return (values - values.mean(0)).square().sum(0) * (n - 1) / n
