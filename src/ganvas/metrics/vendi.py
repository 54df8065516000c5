"""Vendi Score: how many different pictures a set amounts to.

Friedman & Dieng 2023, The Vendi Score: A Diversity Evaluation Metric for Machine Learning, definition 3.1; the family
of orders q is Pasarkar & Dieng 2024, Cousins of the Vendi Score. https://arxiv.org/abs/2210.02410

With cosine similarity between features, the eigenvalues of the similarity matrix over n are shares that add up to 1;
the score is the exponential of their entropy, an effective number: 1 if all pictures are alike, n if each is like no
other. It needs no reference; the reals' own score is "vendi.real", which the generated set's should equal. It says
nothing of quality. Order q = 1 is the paper's; q < 1 counts rare kinds more, q > 1 less, and q = inf is one over the
largest share.

The score is at most the number of features, and grows with n until the set has shown all its kinds: compare only at
the same n.

Standard error: infinitesimal jackknife over pictures: the derivative of the entropy by the share of each picture.

Departs from the authors' code: eigenvalues come from the smaller of the two matrices, n by n or d by d, which have the
same; a row of zeros, which has no direction, is like other rows of zeros only.

Memory: the rows, and a few matrices of min(n, d) squared (34 MB each for 2048 features).
"""

from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair

NAME = "vendi"
TITLE = "Vendi Score"
BETTER = "neither"
SEES = "features"
NETWORK = "inception"
EQUAL = False
ALONE = True
MINIMUM = 2

NOTHING = 1e-12  # A share below this is rounding.
ERROR_METHOD = "infinitesimal jackknife over pictures"

Shares = Float64[Tensor, " r"]


def order(q: str) -> float:
    """The order as a number."""
    try:
        number = float(q)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise UserError(f"q={q} is no order of an entropy. Give a number above 0, or inf; the paper's is 1.")
    return number


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value."""

    q: str = "1"  # Order of the entropy: a number above 0, or "inf".

    def __post_init__(self) -> None:
        order(self.q)


TINY = Config()


class Accumulator(FeatureRows):
    """Every row of features of one set."""

    Config = Config


def compare(real: Accumulator | None, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The score of the generated pictures ("vendi") and of the reals ("vendi.real")."""
    if real is None:
        require_pair(fake, fake, minimum=MINIMUM, title=TITLE)
        return [_result(fake, NAME)]
    require_pair(real, fake, minimum=MINIMUM, title=TITLE, equal=EQUAL)
    return [_result(fake, NAME), _result(real, f"{NAME}.real")]


def vendi(similarity: Float[Tensor, "n n"], *, q: float = 1.0) -> float:
    """``exp(-sum l log l)`` over the eigenvalues ``l`` of ``K / n`` (definition 3.1); order q: :func:`effective`."""
    return effective(torch.linalg.eigvalsh(similarity.double() / len(similarity)), q)


def effective(shares: Shares, q: float) -> float:
    """Hill's number ``(sum l^q)^(1 / (1 - q))``; its limits are the exponential of the entropy and ``1 / max l``."""
    shares = shares[shares > NOTHING]
    if q == 1:
        return float(torch.special.entr(shares).sum().exp())
    if q == inf:
        return 1 / float(shares.max())
    return float((q * shares.log()).logsumexp(0).div(1 - q).exp())


def _result(side: Accumulator, metric: str) -> Result:
    q = order(side.config.q)
    shares, weights = _spectrum(side)
    value = effective(shares, q)
    influence = _influence(shares, weights, q)
    protocol = ":".join(part for part in (NAME, f"n{side.n}", side.rows_of, f"q{q:g}:cosine") if part)
    return Result(
        metric=metric,
        value=value,
        standard_error=value * float(influence.std()) / side.n**0.5,
        error_method=ERROR_METHOD,
        n=side.n,
        seed=side.seed,
        better=BETTER,
        protocol=protocol,
    )


def _influence(shares: Shares, weights: Float64[Tensor, "n r"], q: float) -> Float64[Tensor, " n"]:
    """What a picture adds to the log of the score. ``weights``: how much of it lies along each eigenvector."""
    if q == 1:
        return -(weights * shares.log()).sum(1)
    if q == inf:
        return -weights[:, shares.argmax()] / shares.max()
    log_sum = (q * shares.log()).logsumexp(0)
    return weights @ ((q - 1) * shares.log() - log_sum).exp() * (q / (1 - q))


def _spectrum(side: Accumulator) -> tuple[Shares, Float64[Tensor, "n r"]]:
    """Eigenvalues that are not nothing, and the squared coordinates of every row along their eigenvectors."""
    width = side.tables["rows"].take(torch.zeros(1, dtype=torch.int64)).shape[1] + 1
    if side.n <= width:
        rows = torch.cat([_directions(block) for block in side.blocks()])
        shares, vectors = torch.linalg.eigh(rows @ rows.T / side.n)
        kept = shares > NOTHING
        return shares[kept], vectors[:, kept].square() * (shares[kept] * side.n)
    outer = torch.zeros(width, width, dtype=torch.float64)
    for block in side.blocks():
        rows = _directions(block)
        outer.addmm_(rows.T, rows)
    shares, vectors = torch.linalg.eigh(outer / side.n)
    kept = shares > NOTHING
    return shares[kept], torch.cat([(_directions(block) @ vectors[:, kept]).square() for block in side.blocks()])


def _directions(rows: Float[Tensor, "n d"]) -> Float64[Tensor, "n d+1"]:
    """Rows of length 1; those of length 0 get a direction that is only theirs."""
    if not rows.isfinite().all():
        raise UserError("Some features are not finite numbers. Check the network that they came from, and its weights.")
    rows = rows.double()
    rows = rows / rows.abs().amax(1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)  # No square overflows.
    length = rows.norm(dim=1, keepdim=True)
    none = (length == 0).double()
    return torch.cat([rows / (length + none), none], 1)
