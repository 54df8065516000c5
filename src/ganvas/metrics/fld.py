"""Feature Likelihood Divergence: how likely unseen reals are, if density is put around the generated pictures.

Jiralerspong et al. 2023, Feature Likelihood Divergence: Evaluating the Generalization of Generative Models Using
Samples, section 3. https://arxiv.org/abs/2302.04440

Every generated picture becomes the centre of a round Gaussian in feature space, whose width is fitted so that *known*
reals are as likely as can be. The value is how much less likely per dimension *unseen* reals are than under the same
construction around reals, times 100: low is good, about 0 is as good as the data, and it may be negative. A copy of a
known real gets a needle of a Gaussian, which is worth nothing to an unseen one: so it sees quality, variety and
memorising at once. A set compared with itself scores badly, as it should.

The reals are cut into three at random: known (two thirds: the first of them are the centres of the construction around
reals, to which the others are fitted) and unseen. They should be pictures that the model was trained on; copies of the
unseen third, which training knew as well, go unpunished, which makes the penalty for memorising milder than in the
paper, where unseen pictures were never trained on. As many generated pictures as a third of the reals are centres, at
most 10,000.

Standard error: the reals of each third and the centres are parted at random into halves, in which everything is fitted
anew (:func:`ganvas.metrics.maths.neighbours.knn_error.spread`). Fewer pictures move the value, but that of both halves
alike. In simulations it was 0.91 to 1.12 of the true deviation, and 95 % intervals held the mean in 90 to 96 of 100. A
set of copies is not what it assumes: an original and its copy may fall into different halves.

Departs from the authors' code: where the paper has three sets, the reals are cut (above); at most 10,000 pictures of
each kind are used, all in one batch; a feature that does not vary among the unseen is left as it is, not divided by 0.

Memory: a table of float32 for every pair of known real and centre: 800 MB at 20,000 and 10,000.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.core.results import Result
from ganvas.core.seeds import stream
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.neighbours import knn_balls, knn_error

NAME = "fld"
TITLE = "Feature Likelihood Divergence"
BETTER = "lower"
SEES = "features"
NETWORK = "dinov2"
EQUAL = False
MINIMUM = 6
PUNISHES_COPIES = True  # A set against itself is a memorised one.
COST = "fifty steps over all pairs of at most 10,000 pictures, six times"

MOST = 10_000  # Pictures of each kind.
STEPS, RATE, DECAYS, SMALL = 50, 0.5, (0.9, 0.999), 1e-8  # Of Adam (Kingma & Ba 2015).
LEAST, WIDEST = -40.0, 20.0  # Of the log of a variance.
NEAREST = 1e-3  # Added to the squared distance to the nearest fitted row, from which a width starts.
TOWARDS = 0.81  # Squared share of the distance to the mean, at which the Gaussian for stragglers is met.
CHUNK = 1 << 21  # Pairs worked on at a time.
ROOM = 1 << 24  # Pairs whose distances are kept in float64.
SPLITS = 10  # Into halves, each two fits of a quarter of the pairs.
ERROR_METHOD = f"{SPLITS} random splits of reals and centres into halves, each fitted anew"

FeatureMatrix = Float64[Tensor, "_ d"]
Report = Callable[[float], None]


def _silent(done: float) -> None:
    """Shows nothing."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures and the network."""


TINY = Config()


class Accumulator(FeatureRows):
    """Every row of features of one set."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The divergence ("fld")."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE, equal=EQUAL)
    reals = _shuffled(real, "real")
    third = len(reals) // 3
    reals, generated = reals[: 3 * third], _shuffled(fake, "fake")[:third]
    with progress(NAME, 2 * STEPS * (1 + SPLITS / 2), unit="steps", quiet=quiet) as report:
        value = fld(generated, *reals.chunk(3), report=report)
        error = _error(reals, generated, seed=real.seed, report=lambda done: report(2 * STEPS + done))
    return [
        Result(
            metric=NAME,
            value=value,
            standard_error=error,
            error_method=ERROR_METHOD,
            n=fake.n,
            seed=real.seed,
            better=BETTER,
            protocol=knn_balls.protocol(real, fake, NAME, f"unseen{third}:centres{len(generated)}"),
        )
    ]


def fld(
    generated: FeatureMatrix,
    centres: FeatureMatrix,
    fitted: FeatureMatrix,
    unseen: FeatureMatrix,
    *,
    report: Report = _silent,
) -> float:
    """``100 (nll(unseen | generated) - nll(unseen | centres))`` per dimension.

    The widths around ``generated`` are fitted to ``centres`` and ``fitted``, those around ``centres`` to ``fitted``.
    """
    mean, deviation = unseen.mean(0), unseen.std(0)
    deviation = torch.where(deviation > 0, deviation, 1.0)
    generated, centres, fitted, unseen = ((rows - mean) / deviation for rows in (generated, centres, fitted, unseen))
    own = _Mixture(generated, torch.cat([centres, fitted]), report).divergence(unseen)
    theirs = _Mixture(centres, fitted, lambda done: report(STEPS + done)).divergence(unseen)
    return 100 * float((own - theirs).mean())


def _error(reals: FeatureMatrix, generated: FeatureMatrix, *, seed: int, report: Report) -> float | None:
    """From halves of both; None where they are too small to be cut."""
    if len(reals) < 2 * MINIMUM or len(generated) < 4:
        return None
    begun = 0.0

    def value(of_reals: Tensor, of_generated: Tensor) -> list[float]:
        nonlocal begun
        few = reals[of_reals]
        parts = few[: len(few) // 3 * 3].chunk(3)
        found = fld(generated[of_generated], *parts, report=lambda done: report(begun + done / 4))
        begun += STEPS / 2
        return [found]

    def values(left_real: Tensor, left_fake: Tensor) -> list[list[float]]:
        return [value(left_real, left_fake), value(~left_real, ~left_fake)]

    return knn_error.spread(values, len(reals), len(generated), seed=seed, splits=SPLITS)[0]


class _Mixture:
    """Round Gaussians of one weight and of widths that make ``fitted`` likeliest (section 3)."""

    def __init__(self, centres: FeatureMatrix, fitted: FeatureMatrix, report: Report) -> None:
        self.centres, self.d = centres, centres.shape[1]
        squared = _table(fitted, centres)
        to_mean = TOWARDS * (fitted - fitted.mean(0)).square().sum(1)
        self.log_variance = ((squared.amin(0).double() + NEAREST) / self.d).log()
        self._descend(squared, to_mean, report)

    def divergence(self, rows: FeatureMatrix) -> Float64[Tensor, " n"]:
        """What each row has of ``- log p / d``."""
        blocks = rows.split(max(1, CHUNK // len(self.centres)))
        return torch.cat([-self._log_parts(_table(few, self.centres).double()).logsumexp(1) / self.d for few in blocks])

    def _log_parts(self, squared: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
        """``log N(x; centre, variance) - log m``."""
        log_variance = self.log_variance.to(squared.dtype)
        constant = self.d / 2 * (log_variance + log(2 * pi)) + log(len(self.centres))
        return squared * (-0.5 * (-log_variance).exp()) - constant

    def _descend(self, squared: Tensor, to_mean: Tensor, report: Report) -> None:
        """Adam on the logs of the variances, and on that of a Gaussian for rows that no centre is near."""
        log_mean = torch.zeros((), dtype=torch.float64)
        first, second = (torch.zeros(len(self.centres) + 1, dtype=torch.float64) for _ in range(2))
        for step in range(1, STEPS + 1):
            gradient = self._gradient(squared, to_mean, log_mean)
            first = DECAYS[0] * first + (1 - DECAYS[0]) * gradient
            second = DECAYS[1] * second + (1 - DECAYS[1]) * gradient.square()
            root = (second / (1 - DECAYS[1] ** step)).sqrt() + SMALL
            moved = RATE * (first / (1 - DECAYS[0] ** step)) / root
            self.log_variance = (self.log_variance - moved[:-1]).clamp(LEAST, WIDEST)
            log_mean = log_mean - moved[-1]
            report(step)

    def _gradient(self, squared: Tensor, to_mean: Tensor, log_mean: Tensor) -> Float64[Tensor, " _"]:
        """Of ``- mean log p / d`` by the logs of the variances, the last of them that of the Gaussian at the mean."""
        n, m = squared.shape
        gradient, rows = torch.zeros(m + 1, dtype=torch.float64), max(1, CHUNK // m)
        inverse = (-self.log_variance).exp().to(squared.dtype)
        for table, few in zip(squared.split(rows), to_mean.split(rows), strict=True):
            log_parts = self._log_parts(table)
            log_other = (-0.5 * few * (-log_mean).exp() - self.d / 2 * (log_mean + log(2 * pi))).to(table.dtype)
            total = torch.logaddexp(log_parts.logsumexp(1), log_other)
            weight = log_parts.sub_(total[:, None]).exp_()
            gradient[:-1] += (weight * (table * (0.5 * inverse) - self.d / 2)).sum(0)
            other = (log_other - total).exp().double()
            gradient[-1] += (other * (0.5 * few * (-log_mean).exp() - self.d / 2)).sum()
        return -gradient / (n * self.d)


def _table(rows: FeatureMatrix, centres: FeatureMatrix) -> Float[Tensor, "n m"]:
    """Squared distances, in float64 where there is room for it. Of equal rows, exactly 0."""
    dtype = torch.float64 if len(rows) * len(centres) <= ROOM else torch.float32
    table = torch.empty(len(rows), len(centres), dtype=dtype)
    for part, few in zip(table.split(1024), rows.split(1024), strict=True):
        exact = few.square().sum(1)[:, None] + centres.square().sum(1)
        rounding = exact * 1e-14
        exact.addmm_(few, centres.T, alpha=-2)
        part.copy_(exact.masked_fill_(exact <= rounding, 0.0))
    return table


def _shuffled(side: Accumulator, name: str) -> FeatureMatrix:
    """The first rows of a random order, as many as any part can need."""
    order = torch.randperm(side.n, generator=stream(side.seed, NAME, name))[: 3 * MOST]
    index = side.tables["index"].all().long().argsort(stable=True)
    rows = side.tables["rows"].take(index[order]).double()
    if not rows.isfinite().all():
        raise UserError("Some features are not finite numbers. Check the network that they came from, and its weights.")
    return rows
