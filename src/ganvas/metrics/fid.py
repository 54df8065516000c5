"""Fréchet Inception distance: how far the mean and the spread of generated pictures' features are from the reals'.

Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium.
https://arxiv.org/abs/1706.08500

The features are the 2048 numbers of Inception-v3 (2015-12-05) after its last pooling. Either set is taken for a
Gaussian, and the value is the squared Wasserstein distance of the two: 0 only where mean and covariance agree.

The value is biased upwards, by about (1/n + 1/m) (d + d (d + 1) / 4) for sets of one white Gaussian, so that values of
different n do not compare; "fid_infinity" extrapolates. With n <= 2048 the covariance has not full rank and the bias is
most of the value: it is exact of the two samples, and says little of the model.

Standard error: infinitesimal jackknife over the pictures of both sides, from the derivative of the distance by mean and
covariance (I less the optimal transport map); at most 16,384 pictures of a side are looked at. It is of the value at
this n, bias included, and errs to the large side where the sets are of one distribution or n is not far above d. Where
the reference is a file of moments, the generated side alone is in it, and ``error_method`` says so.

Departs from the paper: no matrix square root (:mod:`ganvas.metrics.maths.frechet`), the unbiased covariance of all
public ports, all sums in float64.

Memory: 8.2 kB per picture (in temporary files from 1 GiB per set on), and a few matrices of 33 MB.
"""

from dataclasses import dataclass

from ganvas.core.results import Result
from ganvas.metrics.maths.distances import moments
from ganvas.metrics.maths.distances.moments import Moments

NAME = "fid"
TITLE = "Fréchet Inception distance"
BETTER = "lower"
SEES = "features"
NETWORK = "inception"
EQUAL = False
MINIMUM = 2


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures and the network."""


TINY = Config()


class Accumulator(Moments):
    """Every row of features of one set, or the moments of a reference."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The distance ("fid")."""
    return moments.compare(real, fake, name=NAME, title=TITLE, minimum=MINIMUM)
