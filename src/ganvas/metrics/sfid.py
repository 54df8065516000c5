"""Spatial Fréchet Inception distance: FID on features that still have places, so that it sees layout.

Nash et al. 2021, Generating Images with Sparse Representations. https://arxiv.org/abs/2103.03841

The features are the first 7 channels of a middle layer of Inception-v3 ("mixed_6/conv"), flattened: 17 x 17 x 7 = 2023
numbers. Where FID pools all places into one, this keeps them: pictures whose parts are right and in the wrong places
score badly here, and it says less of what the parts are.

Bias, standard error and memory are FID's: see "fid".

Standard error: infinitesimal jackknife over the pictures of both sides; of the generated one alone where the reference
is a file of moments.
"""

from dataclasses import dataclass

from ganvas.core.results import Result
from ganvas.metrics.maths.distances import moments
from ganvas.metrics.maths.distances.moments import Moments

NAME = "sfid"
TITLE = "Spatial Fréchet Inception distance"
BETTER = "lower"
SEES = "spatial"
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
    """The distance ("sfid")."""
    return moments.compare(real, fake, name=NAME, title=TITLE, minimum=MINIMUM)
