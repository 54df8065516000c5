"""CLIP maximum mean discrepancy: how unlike two sets of pictures are to CLIP, without taking either for a Gaussian.

Jayasumana et al. 2024, Rethinking FID: Towards a Better Evaluation Metric for Image Generation.
https://arxiv.org/abs/2401.09603

The features are CLIP ViT-L/14 embeddings at 336 pixels, scaled to length 1; the value is 1000 times the squared
discrepancy by the kernel ``exp(-|x - y|^2 / (2 sigma^2))`` with sigma = 10, pairs of a picture with itself taken in,
as in the paper's code. These make the value positive: two draws of one distribution score about 1000 (1/n + 1/m)
(1 - mean kernel), which is 20 / n on common pictures.

Standard error: that of the U-statistic of the same pairs (:mod:`ganvas.metrics.maths.distances.mmd`), every part of its
variance estimated without bias.

Departs from the paper's code: float64 throughout, on kernel - 1, since the kernel is 0.98 or more between any two
pictures and float32 has few digits left of the differences. A row of zeros stays one.

Memory: 3 kB per picture (in temporary files from 1 GiB per set on), and tiles of 512.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths import matmul
from ganvas.metrics.maths.distances import mmd, moments
from ganvas.metrics.maths.distances.mmd import Kernel

NAME = "cmmd"
TITLE = "CLIP maximum mean discrepancy"
BETTER = "lower"
SEES = "features"
NETWORK = "clip"
FIXED = True
COST = "all pairs of pictures: minutes at 50,000"
EQUAL = False
MINIMUM = 4

SCALE = 1000.0


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value. The default is the paper's."""

    sigma: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma < float("inf"):
            raise UserError(f"sigma={self.sigma} must be a positive number.")


TINY = Config()


class Accumulator(FeatureRows):
    """Every row of features of one set."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The discrepancy ("cmmd"), times 1000."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE, equal=False)
    found = mmd.discrepancy(mmd.kept(fake, unit), mmd.kept(real, unit), gaussian(fake.config.sigma))
    result = Result(
        metric=NAME,
        value=max(SCALE * found.biased, 0.0),
        standard_error=SCALE * found.variance(fake.n, real.n) ** 0.5,
        error_method="variance of the U-statistic",
        n=fake.n,
        seed=fake.seed,
        better=BETTER,
        protocol=f"{moments.protocol(fake, NAME, real)}:rbf{fake.config.sigma:g}:all-pairs",
    )
    return [result]


def gaussian_mmd(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], *, sigma: float = 10.0) -> float:
    """The biased squared discrepancy of rows as they are, not scaled by 1000 nor to length 1."""
    return mmd.discrepancy(mmd.rowset(x.double()), mmd.rowset(y.double()), gaussian(sigma)).biased


def gaussian(sigma: float) -> Kernel:
    """``exp(-|x - y|^2 / (2 sigma^2)) - 1`` of every pair: the constant takes nothing from a discrepancy but digits."""

    def kernel(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
        apart = x.square().sum(1)[:, None] + y.square().sum(1) - 2 * matmul.times(matmul.factor(x), y)
        return apart.clamp_min_(0).mul_(-0.5 / sigma**2).expm1_()

    return kernel


def unit(rows: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Rows of length 1, float64."""
    rows = rows.double()
    if not rows.isfinite().all():
        raise UserError("Features hold nan or infinity: nothing can be compared with them.")
    length = rows.norm(dim=1, keepdim=True)
    return rows / torch.where(length > 0, length, torch.ones_like(length))
