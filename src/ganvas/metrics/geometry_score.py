"""Geometry score: whether generated pictures lie on a surface with as many holes as that of real ones.

Khrulkov and Oseledets 2018, Geometry Score: A Method for Comparing Generative Adversarial Networks.
https://arxiv.org/abs/1802.02664

Either set is a cloud of points, a picture's pixels the coordinates. From 64 random landmarks a complex is built again
and again, and for how long it has exactly i holes, while it is looked at more and more coarsely, is the set's mean
relative living time (:mod:`ganvas.metrics.maths.neighbours.witness_complex`). The value is the squared distance between
those of the two sets: 0 for one shape, at most 2. It says nothing of what the pictures show, and does not change when
they are turned, mirrored or scaled in pixel space.

The value depends on the number of pictures, which sets how coarsely it looks: gamma = 1/128 n/5000. Of more than 5,000
pictures (the paper's number) it takes the first 5,000, because the work explodes with gamma; ``pictures=0`` takes all.
With fewer than about a thousand it sees next to no holes.

Standard error: delta method on the mean living times. Their covariance is that over draws of landmarks, times
1/draws + landmarks/n. The second part is for other pictures: a mean over all draws of L from n is a U-statistic of
order L, whose variance is at most L/n of that of one draw (Hoeffding 1948). That other pictures would be other
witnesses too is not in it; in simulations the bound had room for that, and was 1.2 to 1.9 times the true deviation
(4 times between draws of one distribution).

Departs from the authors' program: landmarks are drawn without repetition (``with_replacement=True`` brings repetition
back: among 64 of 5,000 it strikes in a third of all draws), and from a seed; the last number of holes stands for all
above it, where theirs loses them. As there, differences of distances, not of their squares, are held against alpha.

Needs the package gudhi (its plain witness complex, under the MIT licence). Memory: all pictures as bytes, and 0.2 GB of
distances per side.
"""

import importlib.util
from dataclasses import dataclass

from jaxtyping import Float64
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.neighbours.witness_complex import living_times

NAME = "geometry_score"
TITLE = "Geometry score"
BETTER = "lower"
SEES = "pixels"
MINIMUM = 64
NEEDS = "gudhi"
COST = "a thousand complexes per set: a minute at 5,000 pictures"

ERROR_METHOD = "delta method over draws of landmarks, pictures by Hoeffding's bound"

Living = Float64[Tensor, "draws most"]
Square = Float64[Tensor, "most most"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value."""

    landmarks: int = 64  # L_0.
    draws: int = 1000  # Sets of landmarks.
    gamma: float | None = None  # The largest alpha as a part of the largest distance; None: 1/128 n/5000.
    pictures: int = 5000  # Taken at most; 0: all.
    most: int = 100  # Numbers of holes told apart.
    with_replacement: bool = False  # As the authors draw landmarks.

    def __post_init__(self) -> None:
        if self.landmarks < 4 or self.draws < 2 or self.most < 2 or self.pictures < 0:
            raise UserError(
                f"{self.landmarks} landmarks, {self.draws} draws, {self.most} numbers of holes and {self.pictures} "
                "pictures cannot be: at least 4 landmarks, 2 draws and 2 numbers, and 0 pictures for all of them."
            )
        if self.gamma is not None and not 0 < self.gamma <= 1:
            raise UserError(f"gamma={self.gamma} cannot be: a part of the largest distance, above 0 and at most 1.")


TINY = Config(landmarks=12, draws=4, gamma=0.05)


class Accumulator(FeatureRows):
    """Every picture of one set, and its living times once they are found."""

    Config = Config

    def reset(self) -> None:
        super().reset()
        self._found: Living | None = None
        self._found_at = -1

    @property
    def used(self) -> int:
        """Pictures that are taken."""
        return min(self.n, self.config.pictures or self.n)

    def living(self, *, quiet: bool = True) -> Living:
        """The relative living times of every draw, found once per content."""
        if self._found is None or self._found_at != self.n:
            how = self.config
            points = self.features()[: self.used].flatten(1)
            with progress(NAME, how.draws, unit="draws", quiet=quiet) as report:
                self._found = living_times(
                    points,
                    draws=how.draws,
                    landmarks=how.landmarks,
                    gamma=how.gamma,
                    most=how.most,
                    with_replacement=how.with_replacement,
                    seed=self.seed,
                    done=report,
                )
            self._found_at = self.n
        return self._found


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The squared distance of the mean living times ("geometry_score")."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE)
    if importlib.util.find_spec(NEEDS) is None:
        raise UserError(f"{TITLE} needs the package {NEEDS}: pip install 'ganvas[metrics]'.")
    one, other = (side.living(quiet=quiet) for side in (fake, real))
    how, used = fake.config, fake.used
    value, variance = score(one, other, share=how.landmarks / used)
    result = Result(
        metric=NAME,
        value=value,
        standard_error=variance**0.5,
        error_method=ERROR_METHOD,
        n=fake.n,
        seed=fake.seed,
        better=BETTER,
        protocol=_protocol(fake),
    )
    return [result]


def score(one: Living, other: Living, *, share: float = 0.0) -> tuple[float, float]:
    """``|mean - mean|^2`` (algorithm 2) and its variance.

    With an error of the difference that is normal with covariance C, the variance is 4 d'Cd + 2 tr C^2. The d that is
    seen holds the error too, which raises d'Cd by tr C^2 in the mean; that is left in, because without it intervals
    around a small d would be too narrow.

    Args:
        share: Landmarks by pictures: how much of a draw's variance other pictures may bring, at most.
    """
    apart = one.mean(0) - other.mean(0)
    covariance = sum(living.T.cov() * (1 / len(living) + share) for living in (one, other))
    assert isinstance(covariance, Tensor)
    variance = 4 * float(apart @ covariance @ apart) + 2 * float(covariance.square().sum())
    return float(apart.square().sum()), max(variance, 0.0)


def _protocol(fake: Accumulator) -> str:
    channels, height, width = fake.shape or (0, 0, 0)
    how = fake.config
    parts = [f"{NAME}:n{fake.n}:{height}x{width}x{channels}:uint8"]
    parts += [f"pictures{fake.used}"] if fake.used < fake.n else []
    parts += [f"landmarks{how.landmarks}{'-repeated' if how.with_replacement else ''}x{how.draws}"]
    parts += [f"gamma{how.gamma:g}" if how.gamma else "gamma-by-n", f"holes{how.most}"]
    return ":".join(parts)
