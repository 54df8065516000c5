"""NDB: how many of the bins into which reference samples fall hold another share of the samples that are measured.

Richardson and Weiss: On GANs and GMMs (NeurIPS 2018), section 3, https://arxiv.org/abs/1805.12462. Bins are the cells
of a k-means of the reference. In each the two shares are compared by a two-proportion z-test at the level of 5 %, so
that of samples of one law 5 % of the bins are different by chance.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from ganvas.metrics.maths.neighbours.kmeans import cluster

LEVEL = 1.959963984540054  # Of a standard normal number, beyond which 5 % lie.
BLOCK = 1024

Rows = Float[Tensor, "n d"]
OtherRows = Float[Tensor, "m d"]


@dataclass(frozen=True, kw_only=True)
class BinComparison:
    """What two sets have in common over the bins."""

    different: float  # Share of the bins whose shares differ at the level of 5 %: NDB/k.
    divergence: float  # Jensen and Shannon's, of both sets' shares, in nats.
    bins: int


def ndb(reference: Rows, samples: OtherRows, *, bins: int, seed: int) -> BinComparison:
    """Compares the shares of two sets in the cells of the first."""
    (labels,) = cluster([reference], clusters=bins, runs=1, seed=seed)
    centres = _centres(reference, labels[:, 0], bins)
    own = torch.bincount(labels[:, 0], minlength=bins).double()
    other = torch.bincount(_nearest(samples.double(), centres), minlength=bins).double()
    return compared(own, other)


def compared(own: Float64[Tensor, " k"], other: Float64[Tensor, " k"]) -> BinComparison:
    """The comparison of counts by bin; a bin that both leave empty is the same in both."""
    n, m = own.sum(), other.sum()
    p, q, pooled = own / n, other / m, (own + other) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n + 1 / m)).sqrt()
    differs = (p - q).abs() > LEVEL * error
    middle = (p + q) / 2
    divergence = (_relative(p, middle) + _relative(q, middle)) / 2
    return BinComparison(different=float(differs.double().mean()), divergence=float(divergence), bins=len(own))


def _relative(p: Float64[Tensor, " k"], q: Float64[Tensor, " k"]) -> Float64[Tensor, ""]:
    """``sum p log(p / q)``."""
    return torch.special.xlogy(p, p / q.clamp_min(1e-300)).sum()


def _centres(rows: Rows, labels: Int64[Tensor, " n"], bins: int) -> Float64[Tensor, "k d"]:
    """The mean of each bin; one without rows is nobody's nearest."""
    counts = torch.bincount(labels, minlength=bins).double()
    sums = torch.zeros(bins, rows.shape[1], dtype=torch.float64).index_add_(0, labels, rows.double())
    return torch.where(counts[:, None] > 0, sums / counts.clamp_min(1)[:, None], torch.inf)


def _nearest(rows: Float64[Tensor, "m d"], centres: Float64[Tensor, "k d"]) -> Int64[Tensor, " m"]:
    kept = centres.isfinite().all(1).nonzero().flatten()
    found = [torch.cdist(part, centres[kept]).argmin(1) for part in rows.split(BLOCK)]
    return kept[torch.cat(found)]
