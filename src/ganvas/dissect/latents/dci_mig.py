"""Scores of whether each latent stands for one factor: DCI and MIG, beside what shuffled factors give.

- DCI (Eastwood and Williams 2018, A framework for the quantitative evaluation of disentangled representations,
  section 3): how much each latent counts in telling each factor is a matrix R. Disentanglement is 1 minus the entropy
  of a latent's row (over the logarithm of the number of factors), weighted by how much the latent counts; completeness
  the same for the columns; informativeness how well factors are told.
- MIG (Chen et al. 2018, https://arxiv.org/abs/1802.04942, eq. 6): for each factor the mutual information of the best
  latent less that of the second, over the factor's entropy, on 20 bins of equal width.

Here R is the squared weights of a linear regression on standardised latents and factors (the paper takes the weights of
a lasso, or a random forest), and informativeness its R^2. These scores disagree with each other, and each has choices
that move it; none means anything without its floor, which is the same score with the factors of other pictures.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

BINS = 20

Codes = Float[Tensor, "n z"]
Factors = Float[Tensor, "n k"]


@dataclass(frozen=True, kw_only=True)
class DisentanglementScores:
    """The four scores."""

    disentanglement: float
    completeness: float
    informativeness: float
    mig: float


@dataclass(frozen=True, kw_only=True)
class WithFloor:
    """Scores, and the mean and deviation of each under shuffled factors."""

    found: DisentanglementScores
    floor: DisentanglementScores
    floor_deviation: DisentanglementScores


def disentanglement(codes: Codes, factors: Factors) -> DisentanglementScores:
    """DCI by linear regression, and MIG."""
    importance, told = importance_of(codes, factors)
    rows, columns = importance.sum(1), importance.sum(0)
    per_latent = 1 - _entropy(importance / rows.clamp_min(1e-300)[:, None], 1)
    per_factor = 1 - _entropy(importance / columns.clamp_min(1e-300), 0)
    return DisentanglementScores(
        disentanglement=float((per_latent * rows).sum() / rows.sum().clamp_min(1e-300)),
        completeness=float(per_factor.mean()),
        informativeness=float(told.mean()),
        mig=mig(codes, factors),
    )


def with_floor(codes: Codes, factors: Factors, generator: torch.Generator, *, shuffles: int = 10) -> WithFloor:
    """The scores beside those of the same codes with the factors of other pictures."""
    orders = [torch.randperm(len(codes), generator=generator) for _ in range(shuffles)]
    chance = [disentanglement(codes, factors[order]) for order in orders]
    values = torch.tensor([list(vars(one).values()) for one in chance], dtype=torch.float64)
    return WithFloor(
        found=disentanglement(codes, factors),
        floor=DisentanglementScores(**dict(zip(vars(chance[0]), values.mean(0).tolist(), strict=True))),
        floor_deviation=DisentanglementScores(**dict(zip(vars(chance[0]), values.std(0).tolist(), strict=True))),
    )


def mig(codes: Codes, factors: Factors) -> float:
    """The mutual information gap, mean over factors that are not constant."""
    binned = [_binned(column) for column in codes.T]
    gaps = []
    for column in factors.T:
        own = _binned(column)
        entropy = _shannon(torch.bincount(own, minlength=BINS))
        if entropy > 0:
            shared = sorted((_mutual(own, other) for other in binned), reverse=True)
            gaps.append((shared[0] - (shared[1] if len(shared) > 1 else 0.0)) / entropy)
    return sum(gaps) / len(gaps) if gaps else 0.0


def importance_of(codes: Codes, factors: Factors) -> tuple[Float[Tensor, "z k"], Float[Tensor, " k"]]:
    """How much each latent counts in telling each factor, and how well each is told (R^2)."""
    codes, factors = _standard(codes), _standard(factors)
    weights = torch.linalg.lstsq(codes, factors).solution
    residual = (factors - codes @ weights).square().mean(0)
    return weights.square(), (1 - residual).clamp(0, 1)


def _standard(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    x = x.double()
    return (x - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-12)


def _entropy(shares: Tensor, axis: int) -> Tensor:
    """Of shares along an axis, over the logarithm of their number."""
    count = shares.shape[axis]
    whole = -torch.special.xlogy(shares, shares).sum(axis)
    return whole / torch.tensor(float(count)).log() if count > 1 else whole


def _binned(values: Float[Tensor, " n"]) -> Tensor:
    low, high = values.min(), values.max()
    return ((values - low) / (high - low).clamp_min(1e-300) * BINS).long().clamp_max(BINS - 1)


def _mutual(a: Tensor, b: Tensor) -> float:
    """Mutual information of two binned columns, in nats."""
    joint = torch.bincount(a * BINS + b, minlength=BINS * BINS)
    table = joint.view(BINS, BINS)
    return _shannon(table.sum(1)) + _shannon(table.sum(0)) - _shannon(joint)


def _shannon(counts: Tensor) -> float:
    shares = counts.double() / counts.sum()
    return float(-torch.special.xlogy(shares, shares).sum())
