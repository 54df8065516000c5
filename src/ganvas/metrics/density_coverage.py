"""Density and coverage: how crowded reals' neighbourhoods are with generated pictures, and how many hold one at all.

Naeem et al. 2020, Reliable Fidelity and Diversity Metrics for Generative Models, section 3.
https://arxiv.org/abs/2002.09797

A ball around each real reaches to its fifth nearest other real. Density ("density_coverage.density") is the number of
balls that an average generated picture lies in, over k: like precision, but an outlier's large ball counts once among
many; it may exceed 1 where pictures crowd in the middle of the data. Coverage ("density_coverage.coverage", which is
also the value "density_coverage") is the share of reals with a generated picture in their ball: like recall, but no
balls are put around generated pictures, which may be outliers by the thousand.

For two sets of one distribution, n reals and m generated, the expectations are known whatever the features: density 1,
and coverage ``1 - prod_{i=1..k} (n - i) / (n + m - i)``, near ``1 - 2^-k`` (0.969) for sets of one size.

Standard error: both sets are split into random halves, in which all is found anew, and what the variance grows by from
half to whole is added; see :mod:`ganvas.metrics.maths.neighbours.knn_error`. It is of the value at this n.

Departs from the authors' code, which tests balls with ``<``: here ``<=``, so that copies of the reals are inside
(generative-evaluation-prdc, issue 7). Features are those of "precision_recall", so that the four numbers go together.

Memory: the rows, and about 100 MB for 50,000 pictures on each side.
"""

from dataclasses import dataclass

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.neighbours import knn_balls, knn_error

NAME = "density_coverage"
TITLE = "Density and coverage"
BETTER = "higher"
SEES = "features"
NETWORK = "vgg16"
EQUAL = False
MINIMUM = 6
COST = "all pairs of pictures"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value."""

    k: int = 5  # The neighbour to which a ball reaches.

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UserError(f"k={self.k}: a ball reaches to at least the first neighbour. The paper takes k=5.")


TINY = Config()


class Accumulator(FeatureRows):
    """Every row of features of one set."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """Coverage ("density_coverage"), and density and coverage under their own names."""
    k = real.config.k
    require_pair(real, fake, minimum=max(MINIMUM, k + 1), title=TITLE, equal=EQUAL)
    (census,) = knn_balls.tallies(real, fake, k=k, both=False, title=NAME, quiet=quiet)
    density, coverage = census.whole.density, census.whole.occupied
    of_density, of_coverage = knn_error.of_density_and_coverage(census, seed=real.seed)
    return knn_balls.results(
        real,
        fake,
        [coverage, density, coverage],
        [of_coverage, of_density, of_coverage],
        names=[NAME, f"{NAME}.density", f"{NAME}.coverage"],
        better=BETTER,
        method=knn_error.OF_DENSITY,
    )
