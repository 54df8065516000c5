"""Precision and recall of manifolds: how many generated pictures look real, and how much of the real is generated.

Kynkäänniemi et al. 2019, Improved Precision and Recall Metric for Assessing Generative Models, section 3.
https://arxiv.org/abs/1904.06991

A picture is real-looking if it lies in a ball around a real one that reaches to that one's third nearest other real
("precision_recall.precision"); a real picture can be generated if it lies in such a ball around a generated one
("precision_recall.recall"). The value "precision_recall" is F1, their harmonic mean. Features are the 4096 numbers of
VGG-16's second fully connected layer, after its ReLU.

Both depend on n (balls shrink as it grows) and on k: values of other settings do not compare, and two sets of one
distribution do not score 1. One real picture in a thin place has a large ball, in which bad pictures count as good;
"density_coverage" is its answer to that.

Standard error: both sets are split into random halves, in which all is found anew, and what the variance grows by from
half to whole is added; see :mod:`ganvas.metrics.maths.neighbours.knn_error`. It is of the value at this n.

Departs from the paper: distances are exact (:mod:`ganvas.metrics.maths.neighbours.nearest_neighbours`), not
half-precision; sets of two sizes may be compared.

Memory: the rows, and about 150 MB for 50,000 pictures on each side.
"""

from dataclasses import dataclass

import torch

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.neighbours import knn_balls, knn_error

NAME = "precision_recall"
TITLE = "Precision and recall"
BETTER = "higher"
SEES = "features"
NETWORK = "vgg16"
EQUAL = False
MINIMUM = 4
COST = "all pairs of pictures"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value."""

    k: int = 3  # The neighbour to which a ball reaches.

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UserError(f"k={self.k}: a ball reaches to at least the first neighbour. The paper takes k=3.")


TINY = Config()


class Accumulator(FeatureRows):
    """Every row of features of one set."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """F1 ("precision_recall") and its parts."""
    k = real.config.k
    require_pair(real, fake, minimum=max(MINIMUM, k + 1), title=TITLE, equal=EQUAL)
    censuses = knn_balls.tallies(real, fake, k=k, both=True, title=NAME, quiet=quiet)
    precision, recall = (torch.tensor(census.whole.covered, dtype=torch.float64) for census in censuses)
    return knn_balls.results(
        real,
        fake,
        knn_error.with_f1(precision, recall).tolist(),
        knn_error.of_precision_and_recall(censuses, seed=real.seed),
        names=[NAME, f"{NAME}.precision", f"{NAME}.recall"],
        better=BETTER,
        method=knn_error.BY_HALVES_AND_GROWTH,
    )
