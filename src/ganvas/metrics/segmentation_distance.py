"""Fréchet segmentation distance: whether generated pictures hold as much of each thing as real ones do.

Bau et al. 2019, Seeing What a GAN Cannot Generate, section 3.1. https://arxiv.org/abs/1910.11626

Every picture is segmented into classes, and its row is the area of each class in per cent. The value is the Fréchet
distance between the rows of the two sets, in per cent squared: 0 only where the mean areas and how they go together
agree.

"segmentation_distance.missing" is the share of the mean picture's area, in per cent, that lies in classes drawn too
little, which is also that of classes drawn too much. :func:`classes` says which.

The labeller is by default the 11 basic colour names, which need no weights ("colours"); a segmentation network of your
own, exported with a tap "segments", is given by ``--features FILE``. Values by two labellers do not compare, and those
of the paper are by its own, of 336 classes.

The value is biased upwards by an amount that falls as 1/n, but a dozen numbers need far fewer pictures than FID's 2048.

Standard error: infinitesimal jackknife over the pictures of both sides, as of "fid"; of the generated one alone where
the reference is a file of moments. Where the sets are of one kind it is 1.3 to 2.1 times too wide in simulations. Of
"missing": the deviation of the areas, the classes taken as known.

Departs from the paper: no matrix square root, and the labeller. Memory: a row of the labeller's classes per picture.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from ganvas.core.results import Result
from ganvas.metrics.maths.distances import moments
from ganvas.metrics.maths.distances.moments import Moments

NAME = "segmentation_distance"
TITLE = "Fréchet segmentation distance"
BETTER = "lower"
SEES = "segments"
NETWORK = "colours"
EQUAL = False
MINIMUM = 2

AREAS = "deviation of areas over pictures of both sides"
AREAS_ONE = "deviation of areas over generated pictures (the reference does not say how many it has)"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures and the labeller."""


TINY = Config()


class Accumulator(Moments):
    """The areas of every picture of one set, or the moments of a reference."""

    Config = Config


@dataclass(frozen=True, kw_only=True)
class Class:
    """How much of the mean picture one class covers, in per cent."""

    label: int  # Its place in the labeller's list; of "colours", that of ganvas.features.colours.COLOURS.
    real: float
    fake: float
    standard_error: float  # Of fake - real.

    @property
    def missing(self) -> float:
        """How much too little of it is drawn; below 0 where it is too much."""
        return self.real - self.fake


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The distance ("segmentation_distance") and the area in classes drawn too little."""
    found = moments.compare(real, fake, name=NAME, title=TITLE, minimum=MINIMUM)
    apart = real.gaussian().mean - fake.gaussian().mean
    lacking = (apart > 0).double()
    missing = Result(
        metric=f"{NAME}.missing",
        value=float(apart @ lacking),
        standard_error=_variance(real, fake, lacking[:, None]).item() ** 0.5,
        error_method=AREAS if real.n else AREAS_ONE,
        n=fake.n,
        seed=fake.seed,
        better="lower",
        protocol=found[0].protocol,
    )
    return [*found, missing]


def classes(real: Accumulator, fake: Accumulator) -> list[Class]:
    """Every class, that which is missing most first: what the generator does not draw."""
    moments.require(real, fake, title=TITLE, minimum=MINIMUM)
    of_real, of_fake = real.gaussian().mean, fake.gaussian().mean
    errors = _variance(real, fake, torch.eye(len(of_real), dtype=torch.float64)).sqrt()
    found = [
        Class(label=label, real=float(of_real[label]), fake=float(of_fake[label]), standard_error=float(errors[label]))
        for label in range(len(of_real))
    ]
    return sorted(found, key=lambda one: -one.missing)


def _variance(
    real: Accumulator, fake: Accumulator, weights: Float64[Tensor, "classes sums"]
) -> Float64[Tensor, " sums"]:
    """Of weighted sums of the mean areas' difference, one per column of (classes, sums)."""
    sides = [side for side in (real, fake) if side.n]  # A reference of moments need not say how many pictures it has.
    parts = [(weights * side.gaussian().times(weights)).sum(0).clamp_min(0) / side.n for side in sides]
    return torch.stack(parts).sum(0)
