"""Counts of one set's rows in the balls around another's: what precision, recall, density and coverage are made of.

The manifold of a set is the union of balls around its rows, each reaching to the k-th nearest other row.

Each row's neighbours are kept far enough out (:func:`reach`) to hold the k nearest of a random half of either set, so
that :mod:`ganvas.metrics.maths.neighbours.knn_error` needs no new distances for the halves from which standard errors
come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from ganvas.core.progress import progress
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.maths.distances import moments
from ganvas.metrics.maths.neighbours import nearest_neighbours
from ganvas.metrics.maths.neighbours.nearest_neighbours import Balls

PAIRS = (
    1 << 23
)  # FeatureRows for the standard error: 84 MB. Beyond, only some of the points are looked at: a wider error.
CHUNK = 1 << 16  # Pairs ranked at a time.


def reach(k: int) -> int:
    """Neighbours to keep, so that k of them lie in a random half but for one row in 500 or fewer."""
    return 4 * k + 4


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Of n balls over m points: which point lies in how many, and which ball holds how many."""

    k: int
    holding: Int64[Tensor, " m"]  # Balls that hold the point.
    held: Int64[Tensor, " n"]  # Points that the ball holds.

    @property
    def covered(self) -> float:
        """Share of the points that lie in a ball: precision or recall (Kynkäänniemi et al. 2019, section 3)."""
        return float((self.holding > 0).double().mean())

    @property
    def density(self) -> float:
        """``sum_ij 1[y_j in ball_i] / (k m)`` (Naeem et al. 2020, section 3)."""
        return int(self.held.sum()) / (self.k * len(self.holding))

    @property
    def occupied(self) -> float:
        """Share of the balls that hold a point: coverage (Naeem et al. 2020, section 3)."""
        return float((self.held > 0).double().mean())


@dataclass(frozen=True, kw_only=True)
class Parted:
    """What lies in balls where each set is in two parts and a ball knows none but its own part's reals and points."""

    ball: Int64[Tensor, " pairs"]  # Pairs of a ball and a point that it holds.
    point: Int64[Tensor, " pairs"]
    rim: Int64[Tensor, " rims"]  # Pairs of a ball and a point that it would hold if it reached to one more neighbour.
    rim_point: Int64[Tensor, " rims"]
    nearest: Bool[Tensor, "n wide"]  # Which of the kept neighbours are the k nearest of the part.


def tallies(
    real: FeatureRows, fake: FeatureRows, *, k: int, both: bool, title: str, quiet: bool = True
) -> "tuple[Census, ...]":
    """Balls around the reals over the generated, and with ``both`` also those around the generated over the reals."""
    x, y = nearest_neighbours.together(real, fake)
    rows = x.n + y.n * both + x.n
    with progress(title, rows, unit="rows", quiet=quiet) as report:
        around_x = nearest_neighbours.balls(x, k=k, wide=reach(k), done=report)
        around_y = None
        if both:
            around_y = nearest_neighbours.balls(y, k=k, wide=reach(k), done=lambda done: report(x.n + done))
        of_x = Census(around_x, y.n)
        of_y = None if around_y is None else Census(around_y, x.n)
        for pairs in nearest_neighbours.within(x, y, around_x, around_y, done=lambda done: report(rows - x.n + done)):
            of_x.add(pairs.rows, pairs.columns, pairs.squared)
            if of_y is not None:
                of_y.add(pairs.columns, pairs.rows, pairs.squared)
    return (of_x,) if of_y is None else (of_x, of_y)


class Census:
    """Counts pairs as they come, and keeps them by how far out they lie."""

    def __init__(self, balls: Balls, points: int) -> None:
        self.balls, self.points = balls, points
        holding = torch.zeros(points, dtype=torch.int64)
        self.whole = Tally(k=balls.k, holding=holding, held=torch.zeros(len(balls.places), dtype=torch.int64))
        self._kept: list[tuple[Tensor, ...]] = []  # Ball, point, and the rank whose ball just holds it.
        self._count, self._thinned = 0, 1  # Of the points, every so-manyth is kept.

    def add(self, ball: Tensor, point: Tensor, squared: Tensor) -> None:
        """Pairs that may lie in a ball."""
        for few in torch.arange(len(ball)).split(CHUNK):
            self._add(ball[few], point[few], squared[few])

    def _add(self, ball: Tensor, point: Tensor, squared: Tensor) -> None:
        inside = squared <= self.balls.radius[ball]
        for counts, places in ((self.whole.holding, point[inside]), (self.whole.held, ball[inside])):
            counts += torch.bincount(places, minlength=len(counts))
        near = (squared <= self.balls.squared[ball, -1]) & (point % self._thinned == 0)
        ball, point = ball[near], point[near]
        rank = 1 + (self.balls.squared[ball] < squared[near, None]).sum(1)
        self._kept.append((ball.int(), point.int(), rank.short()))
        self._count += len(ball)
        while self._count > PAIRS:
            self._thinned *= 2
            self._kept = [tuple(column[part[1] % self._thinned == 0] for column in part) for part in self._kept]
            self._count = sum(len(part[0]) for part in self._kept)

    def parted(self, left_ball: Bool[Tensor, " n"], left_point: Bool[Tensor, " m"]) -> Parted:
        """What lies in the balls of the left parts of both sets, and in those of the right ones."""
        ball, point, rank = (torch.cat(columns).long() for columns in zip(*self._kept, strict=True))
        k, places = self.balls.k, self.balls.places
        alike = (left_ball[places.clamp_min(0)] == left_ball[:, None]) & (places >= 0)
        count = alike.cumsum(1)
        grown, further = ((count < reached).sum(1).add(1).clamp_max(places.shape[1]) for reached in (k, k + 1))
        same = left_ball[ball] == left_point[point]
        hold = same & (rank <= grown[ball])
        rim = same & ~hold & (rank <= further[ball])
        nearest = alike & (count <= k)
        return Parted(ball=ball[hold], point=point[hold], rim=ball[rim], rim_point=point[rim], nearest=nearest)

    @property
    def looked(self) -> Bool[Tensor, " m"]:
        """Points whose pairs are kept."""
        return torch.arange(self.points) % self._thinned == 0

    def halves(self, left_ball: Bool[Tensor, " n"], left_point: Bool[Tensor, " m"]) -> tuple[Tally, Tally]:
        """The same counts within the left halves of both sets, and within the right ones."""
        return self.tallied(self.parted(left_ball, left_point), left_ball, left_point)

    def tallied(
        self, parted: Parted, left_ball: Bool[Tensor, " n"], left_point: Bool[Tensor, " m"]
    ) -> tuple[Tally, Tally]:
        """The counts of the left parts, and those of the right ones."""
        held = torch.bincount(parted.ball, minlength=len(left_ball))
        holding, looked = torch.bincount(parted.point, minlength=self.points), self.looked
        return (
            Tally(k=self.balls.k, holding=holding[left_point & looked], held=held[left_ball]),
            Tally(k=self.balls.k, holding=holding[~left_point & looked], held=held[~left_ball]),
        )


def f1(precision: Float64[Tensor, "*n"], recall: Float64[Tensor, "*n"]) -> Float64[Tensor, "*n"]:
    """``2 p r / (p + r)``, the harmonic mean, and 0 where both are."""
    both = precision + recall
    return torch.where(both > 0, 2 * precision * recall / both.where(both > 0, torch.ones_like(both)), 0.0)


def results(
    real: FeatureRows,
    fake: FeatureRows,
    values: Sequence[float],
    found: Sequence[float | None],
    *,
    names: Sequence[str],
    better: Any,
    method: str,
) -> list[Result]:
    """Values, each under its name and with its error."""
    return [
        Result(
            metric=name,
            value=value,
            standard_error=error,
            error_method=method,
            n=fake.n,
            seed=real.seed,
            better=better,
            protocol=protocol(real, fake, names[0], f"k{real.config.k}"),
        )
        for name, value, error in zip(names, values, found, strict=True)
    ]


def protocol(real: FeatureRows, fake: FeatureRows, name: str, *settings: str) -> str:
    """``precision_recall:n50000:<network, weights and resize>:k3``; reals are named where they are not as many."""
    return ":".join(part for part in (moments.protocol(fake, name, real), *settings) if part)
