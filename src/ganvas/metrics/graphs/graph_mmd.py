"""Maximum mean discrepancy of graphs by a statistic: with a kernel that is one, and in the forms that are published.

With a distance d of negative type ``exp(-d / s)`` is positive definite (Schoenberg 1938). The earth mover's distance on
a line is the L1 distance of cumulated shares, and is one; its square is not, nor is that of total variation, so that
the Gaussian forms that papers use have kernel matrices with negative eigenvalues. The scale s is the median distance of
real graphs, and the estimate is unbiased (a U-statistic), with its standard error. Papers print V-statistics, whose
pairs of a graph with itself add about ``(1/n + 1/m) (1 - mean k)``:

    .graphrnn   exp(-EMD^2 / 2 sigma^2), sigma 1 for degrees, .1 for clustering; orbits by L2 and 30 (You et al. 2018)
    .tv         exp(-TV^2 / 2 sigma^2), of orbits too, the same sigmas (Liao et al. 2019, GRAN, and who follow it)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from ganvas.data.graphs.graph_tables import AnyRows
from ganvas.metrics.graphs.graph_statistics import BINS, clustering_histograms, degree_histograms, mean_orbits
from ganvas.metrics.maths.distances.mmd import Kernel, Parts, discrepancy, rowset

MOST_SCALED = 500  # Real graphs whose distances give the scale.

Rows = Float64[np.ndarray, "n d"]
RealRows = Float64[np.ndarray, "m d"]
Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Statistic:
    """What is taken of each graph, and how unlike two of them are.

    Attributes:
        rows: One row of numbers of each graph.
        distance: Of two rows, of negative type.
        published: The kernels of papers by their names, of V-statistics.
    """

    rows: Callable[[AnyRows], Rows]
    distance: Distance
    published: Mapping[str, Kernel]


@dataclass(frozen=True, kw_only=True)
class Discrepancies:
    """What is found of two sets by a statistic."""

    own: Parts
    scale: float
    published: Mapping[str, float]


def earth_movers(width: float) -> Distance:
    """Of histograms on a line whose bins are ``width`` apart: what has to be moved, times how far."""
    return lambda x, y: torch.cdist(x.cumsum(1), y.cumsum(1), p=1) * width


def _gaussian(distance: Distance, sigma: float) -> Kernel:
    return lambda x, y: torch.exp(-distance(x, y).square() / (2 * sigma**2))


def _total_variation(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, p=1) / 2


def _euclidean(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _forms(distance: Distance, sigma: float) -> dict[str, Kernel]:
    return {"graphrnn": _gaussian(distance, sigma), "tv": _gaussian(_total_variation, sigma)}


STATISTICS: dict[str, Statistic] = {
    "degree": Statistic(degree_histograms, earth_movers(1.0), _forms(earth_movers(1.0), 1.0)),
    "clustering": Statistic(clustering_histograms, earth_movers(1 / BINS), _forms(earth_movers(1 / BINS), 0.1)),
    "orbit": Statistic(mean_orbits, _euclidean, _forms(_euclidean, 30.0)),
}


def compared(statistic: Statistic, drawn: Rows, real: RealRows) -> Discrepancies:
    """Two sets of rows."""
    x, y = torch.from_numpy(drawn), torch.from_numpy(real)
    scale = scale_of(statistic, y)
    return Discrepancies(
        own=discrepancy(rowset(x), rowset(y), own_kernel(statistic, scale)),
        scale=scale,
        published={
            name: discrepancy(rowset(x), rowset(y), kernel).biased for name, kernel in statistic.published.items()
        },
    )


def own_kernel(statistic: Statistic, scale: float) -> Kernel:
    """``exp(-d / scale)``."""
    return lambda x, y: torch.exp(-statistic.distance(x, y) / scale)


def scale_of(statistic: Statistic, real: Tensor) -> float:
    """The median distance of real graphs that differ; 1 where none do."""
    some = real[:MOST_SCALED]
    distances = statistic.distance(some, some)
    apart = distances[distances > 0]
    return float(apart.median()) if len(apart) else 1.0
