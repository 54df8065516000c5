"""Fréchet distance of DINOv2 features: FID by a network that was not taught the classes of ImageNet.

Stein et al. 2023, Exposing flaws of generative model evaluation metrics. https://arxiv.org/abs/2306.04675

The features are the 1024 numbers of the class token of DINOv2 ViT-L/14. In the paper's trials with people this distance
agreed best with what they took for real; FID punishes what Inception does not know. Values are far above FID's, and
the two do not compare.

Bias and memory are FID's at d = 1024, half of it: see "fid".

Standard error: infinitesimal jackknife over the pictures of both sides; of the generated one alone where the reference
is a file of moments.
"""

from dataclasses import dataclass

from ganvas.core.results import Result
from ganvas.metrics.maths.distances import moments
from ganvas.metrics.maths.distances.moments import Moments

NAME = "fd_dinov2"
TITLE = "Fréchet distance of DINOv2 features"
BETTER = "lower"
SEES = "features"
NETWORK = "dinov2"
FIXED = True
EQUAL = False
MINIMUM = 2


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures."""


TINY = Config()


class Accumulator(Moments):
    """Every row of features of one set, or the moments of a reference."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The distance ("fd_dinov2")."""
    return moments.compare(real, fake, name=NAME, title=TITLE, minimum=MINIMUM)
