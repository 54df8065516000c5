"""Authentic percentage: the share of generated pictures that are no copy of a real one.

Alaa et al. 2022, How Faithful is your Synthetic Data?, section 3.3. https://arxiv.org/abs/2102.08921

A generated picture is authentic if it is farther from its nearest real picture than that one is from its own nearest
real. The reals must be those that the model was trained on: the number says whether it remembers them. 100 is no copy
at all, 0 is all copies. What a second draw of the reals' own law scores depends on the features (38 for a Gaussian in 2
dimensions, 78 in 64, 88 in 1024), so compare with the floor, which is found from the reals themselves. It says nothing
of quality: noise is perfectly authentic.

Standard error: both sets are split into random halves, in which all is found anew; see
:mod:`ganvas.metrics.maths.neighbours.knn_error`. It is of the value at this n.

Departs from its users: nothing is subtracted (the code of "Feature Likelihood Divergence" takes 50 off), and all
pictures are used, not 10,000 of them. Where nearest neighbours are equally near, the first in the set counts.

Memory: the rows, and about 100 MB for 50,000 pictures on each side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from ganvas.core.progress import progress
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.neighbours import knn_balls, knn_error, nearest_neighbours

NAME = "auth_pct"
TITLE = "Authentic percentage"
BETTER = "higher"
SEES = "features"
NETWORK = "dinov2"
EQUAL = False
MINIMUM = 2
COST = "all pairs of pictures"

WIDE = 12  # Neighbours kept: one of them lies in a random half but for one row in 4096.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures and the network."""


TINY = Config()


class Accumulator(FeatureRows):
    """Every row of features of one set."""

    Config = Config


@dataclass(frozen=True, kw_only=True)
class Neighbourhoods:
    """The nearest reals of each real and of each generated picture, nearest first."""

    real: tuple[Float64[Tensor, "n r"], Int64[Tensor, "n r"]]  # Squared distances, and places.
    fake: tuple[Float64[Tensor, "m f"], Int64[Tensor, "m f"]]


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The percentage ("auth_pct")."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE, equal=EQUAL)
    x, y = nearest_neighbours.together(real, fake)
    with progress(NAME, x.n + y.n, unit="rows", quiet=quiet) as report:
        of_real = nearest_neighbours.nearest(x, x, wide=min(WIDE, x.n - 1), done=report)
        of_fake = nearest_neighbours.nearest(y, x, wide=min(WIDE, x.n), done=lambda done: report(x.n + done))
    found = Neighbourhoods(real=of_real, fake=of_fake)
    return [
        Result(
            metric=NAME,
            value=percentage(found),
            standard_error=_error(found, seed=real.seed),
            error_method=knn_error.BY_HALVES,
            n=fake.n,
            seed=real.seed,
            better=BETTER,
            protocol=knn_balls.protocol(real, fake, NAME, "nearest1"),
        )
    ]


def percentage(found: Neighbourhoods) -> float:
    """``100 / m sum_j 1[d(y_j, x_i) > min_l d(x_i, x_l)]``, with ``x_i`` the real nearest to ``y_j``."""
    spacing, (distance, place) = found.real[0][:, 0], (part[:, 0] for part in found.fake)
    return 100 * float((distance > spacing[place]).double().mean())


def _error(found: Neighbourhoods, *, seed: int) -> float | None:
    n, m = len(found.real[0]), len(found.fake[0])
    if min(n, m) < 4:
        return None

    def values(left_real: Tensor, left_fake: Tensor) -> list[Sequence[float]]:
        halves = ((left_real, left_fake), (~left_real, ~left_fake))
        return [[percentage(_within(found, reals, fakes))] for reals, fakes in halves]

    return knn_error.spread(values, n, m, seed=seed)[0]


def _within(found: Neighbourhoods, reals: Bool[Tensor, " n"], fakes: Bool[Tensor, " m"]) -> Neighbourhoods:
    """The same among some reals and some generated pictures, as far as the neighbours that were kept reach."""
    (spacing, other), (distance, place) = found.real, found.fake
    real = _first(spacing, other, reals[other])
    fake = _first(distance[fakes], place[fakes], reals[place[fakes]])
    return Neighbourhoods(real=real, fake=fake)


def _first(squared: Tensor, places: Tensor, allowed: Bool[Tensor, "n k"]) -> tuple[Tensor, Tensor]:
    """The nearest that is allowed, or the last one kept where none is."""
    rank = torch.where(allowed.any(1), allowed.int().argmax(1), allowed.shape[1] - 1)[:, None]
    return squared.gather(1, rank), places.gather(1, rank)
