"""Precision and recall of distributions: a curve of what quality can be had at what variety.

Sajjadi et al. 2018, Assessing Generative Models via Precision and Recall, sections 3 and 4.
https://arxiv.org/abs/1806.00035

The features of both sets together are clustered, and the sets become two histograms over the clusters, p of reals and q
of generated pictures. For a slope l, precision is ``sum min(l p, q)`` and recall is that over l. The curve is
summed up by the largest F over all slopes: "prd.f8", which weighs recall eight times as much as precision, "prd.f1_8",
the other way round, and the value "prd", F1. 1 for two sets of one distribution, 0 for sets without a common cluster.

It sees no more than which cluster a picture is in: what is wrong inside a cluster, it is blind to.

Standard error: infinitesimal jackknife over pictures with the clusters as they are, and in quadrature the spread over
the runs of the clustering. F is a smallest and a largest of sums, so that near 1 it errs to the large side.

Departs from the paper: the clustering is Lloyd's iteration from k-means++ seeds to the end, seeded, in place of ten
mini-batch attempts of which the best counts.

Memory: the rows and 100 MB of work.
"""

from dataclasses import dataclass
from math import pi

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.neighbours import kmeans, knn_balls

NAME = "prd"
TITLE = "Precision and recall of distributions"
BETTER = "higher"
SEES = "features"
NETWORK = "inception"
MINIMUM = 2

ANGLES, EPSILON = 1001, 1e-10
BETA = 8.0
ERROR_METHOD = "infinitesimal jackknife over pictures, and spread over clusterings"

Histograms = Float64[Tensor, "runs k"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value. The defaults are the paper's."""

    clusters: int = 20
    runs: int = 10  # Of the clustering, over which the curve is averaged.

    def __post_init__(self) -> None:
        if self.clusters < 1 or self.runs < 1:
            raise UserError(f"clusters={self.clusters} and runs={self.runs} must be at least 1.")


TINY = Config(clusters=4, runs=2)


class Accumulator(FeatureRows):
    """Every row of features of one set."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The largest F1 of the curve ("prd"), F8 ("prd.f8", recall) and F1/8 ("prd.f1_8", precision)."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE)
    config = real.config
    kept = kmeans.cluster([real, fake], clusters=config.clusters, runs=config.runs, seed=real.seed, quiet=quiet)
    protocol = knn_balls.protocol(real, fake, NAME, f"clusters{config.clusters}", f"runs{config.runs}")
    found = []
    for metric, beta in ((NAME, 1.0), (f"{NAME}.f8", BETA), (f"{NAME}.f1_8", 1 / BETA)):
        value, error = _largest(kept[0], kept[1], config.clusters, beta)
        found.append(
            Result(
                metric=metric,
                value=value,
                standard_error=error,
                error_method=ERROR_METHOD,
                n=fake.n,
                seed=real.seed,
                better=BETTER,
                protocol=protocol,
            )
        )
    return found


def curve(p: Histograms, q: Histograms) -> tuple[Float64[Tensor, " angles"], Float64[Tensor, " angles"]]:
    """Precision and recall of the slopes, the mean over runs: ``a = sum min(l p, q)`` and ``b = a / l`` (section 3)."""
    precision = torch.minimum(slopes()[:, None, None] * p, q).sum(2).mean(1)
    return precision, precision / slopes()


def slopes() -> Float64[Tensor, " angles"]:
    """``tan`` of angles spread evenly over the quarter circle."""
    return torch.linspace(EPSILON, pi / 2 - EPSILON, ANGLES, dtype=torch.float64).tan()


def f_beta(p: Histograms, q: Histograms, beta: float) -> tuple[float, float]:
    """The largest ``(1 + b^2) precision recall / (b^2 precision + recall)`` of the curve, and the slope it is at."""
    precision, recall = curve(p, q)
    bottom = beta**2 * precision + recall
    f = torch.where(bottom > 0, (1 + beta**2) * precision * recall / bottom.clamp_min(1e-300), 0.0)
    best = int(f.argmax())
    return min(float(f[best]), 1.0), float(slopes()[best])


def _largest(
    real: Int64[Tensor, "n runs"], fake: Int64[Tensor, "m runs"], count: int, beta: float
) -> tuple[float, float]:
    """F and its standard error.

    With ``w`` in [0, 1] per cluster, F is ``max_l min_w c(l) sum (w l p + (1 - w) q)``: a saddle point, so that its
    derivative by p and q is the one with the best ``l`` and ``w`` held (:func:`_saddle`).
    """
    p, q = (_histograms(labels, count) for labels in (real, fake))
    value, _ = f_beta(p, q, beta)
    slope, weights = _saddle(p, q, beta)
    factor = (1 + beta**2) / (1 + beta**2 * slope)
    reals, fakes = factor * slope * _mean_of(weights, real), factor * _mean_of(1 - weights, fake)
    runs = factor * torch.minimum(slope * p, q).sum(1)
    variance = sum(float(part.var()) / len(part) for part in (reals, fakes, runs) if len(part) > 1)
    return value, variance**0.5


def _saddle(p: Histograms, q: Histograms, beta: float) -> tuple[float, Histograms]:
    """The slope at which F is largest, off the grid, and the weight of ``l p`` against ``q`` in every cluster.

    Only there ``sum w p = b^2 sum (1 - w) q``. Going down the ratios q / p from the largest, w turns from 0 to 1 and
    the left side overtakes the right one at that slope, where the weight is a fraction.
    """
    ratio = torch.where(p > 0, q / p.clamp_min(1e-300), torch.where(q > 0, torch.inf, 0.0))
    levels, group = ratio.unique(return_inverse=True)
    of_p = torch.zeros(len(levels), dtype=torch.float64).index_add_(0, group.flatten(), p.flatten())
    of_q = beta**2 * torch.zeros(len(levels), dtype=torch.float64).index_add_(0, group.flatten(), q.flatten())
    above = of_p.sum() - of_p.cumsum(0)  # Of the ratios above each.
    below = of_q.cumsum(0) - of_q
    turn = int(((above + of_p - below) >= 0).nonzero()[-1])
    fraction = float((below[turn] + of_q[turn] - above[turn]) / (of_p[turn] + of_q[turn]))
    weights = (group > turn).double() + min(max(fraction, 0.0), 1.0) * (group == turn).double()
    return min(max(float(levels[turn]), EPSILON), 1 / EPSILON), weights


def _histograms(labels: Int64[Tensor, "n runs"], count: int) -> Histograms:
    return torch.stack([torch.bincount(run, minlength=count) for run in labels.T]).double() / len(labels)


def _mean_of(weights: Histograms, labels: Int64[Tensor, "n runs"]) -> Float64[Tensor, " n"]:
    """Of the weights of a picture's clusters, over runs."""
    return weights.gather(1, labels.T).mean(0)
