"""The judge of all claims: a verdict from an interval, never from a p-value alone.

Of an experiment it takes one effect per seed, the difference of two arms that shared the seed, and two one-sided
bounds at ``alpha`` each by Student's t. The claim *holds* where the interval lies beyond the smallest effect, *fails*
where it lies on the other side, and is *undecided* in between; then the judge says how many seeds would decide, were
mean and spread to stay. Whatever the truth is, only one of the two verdicts is wrong, so a wrong one comes at most
with chance ``alpha``. Percentile bootstraps are not used: with five seeds they cover far less than they say.

Of an identity it takes the largest error, and names the case.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ganvas.claims.judging import student
from ganvas.claims.judging.claim import Case, Direction, Experiment, Identity
from ganvas.core.errors import UserError

VERSION = 1  # Of the rules below; part of every lock.
ALPHA = 0.05
MOST_SEEDS = 1000  # That a judge would ask for; beyond it says "more than".

State = Literal["holds", "half true", "fails", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the judge says, with the numbers that it says it by."""

    state: State
    sentence: str
    value: float  # Mean effect, or the largest error.
    unit: str
    n: int  # Seeds, or cases.
    low: float | None = None  # Of the interval; none of an identity.
    high: float | None = None
    p: float | None = None  # Of the less likely side of the threshold.
    would_decide: int | None = None  # Seeds; none where it is decided, or where more than MOST_SEEDS would be needed.
    detectable: float | None = None  # In ``unit`` beyond the threshold, found with a chance of 80 %.
    counterexample: str = ""


def judge_identity(claim: Identity, cases: Iterable[Case]) -> Verdict:
    """Holds where no case is further off than the smallest effect; half true where those inside the condition are not.

    Raises:
        UserError: there are no cases, or the condition of a half-true claim excludes all of them.
    """
    shown = list(cases)
    inside = [case for case in shown if case.inside]
    if not inside:
        raise UserError(f"The claim '{claim.statement}' has no case to be judged by.")
    worst, worst_inside = max(shown, key=_badness), max(inside, key=_badness)
    bound = claim.smallest_effect
    if _badness(worst) <= bound:
        sentence = f"holds: the largest of {len(shown)} errors is {worst.error:.2g} ({worst.name})."
        return Verdict(state="holds", sentence=sentence, value=worst.error, unit=claim.unit, n=len(shown))
    against = worst_inside if _badness(worst_inside) > bound else worst
    state: State = "fails" if against.inside else "half true"
    begin = "fails" if against.inside else f"half true: it holds when {claim.holds_when}; otherwise not"
    return Verdict(
        state=state,
        sentence=f"{begin}: {against.name} is off by {against.error:.3g} ({claim.unit}).",
        value=against.error,
        unit=claim.unit,
        n=len(shown),
        counterexample=against.name,
    )


def judge_experiment(
    claim: Experiment, first: Sequence[float], second: Sequence[float], *, alpha: float = ALPHA
) -> Verdict:
    """The verdict on two arms' values, seed by seed.

    Raises:
        UserError: fewer than two seeds, arms of unlike length, a value that is not finite, or not positive where
            ratios are meant.
    """
    effects = effects_of(claim, first, second)
    return judge_spread(claim, float(effects.mean()), float(effects.std(ddof=1)), len(effects), alpha=alpha)


def judge_spread(
    claim: Experiment, mean: float, deviation: float, n: int, *, alpha: float = ALPHA, level: float | None = None
) -> Verdict:
    """The verdict on so many effects of a mean and a deviation, which are all that it depends on.

    Args:
        mean: Of the effects; of ratios, of their logarithms, as the deviation is.
        alpha: Of the interval that is shown.
        level: That it is decided by, where it is another: less than ``alpha`` for one claim of many.
    """
    sign = -1.0 if claim.says == "less" else 1.0
    threshold, level = threshold_of(claim), level or alpha
    toward, half = sign * mean, half_width(deviation, n, alpha=alpha)
    strict = half_width(deviation, n, alpha=level)
    state = decide(toward - strict, toward + strict, threshold, claim.says)
    needed = None
    if state == "undecided":
        needed = _seeds_to_decide(toward, deviation, threshold, claim.says, alpha=level, above=n)
    shown = np.exp if claim.ratio else (lambda value: value)
    ends = [float(shown(mean - half)), float(shown(mean + half))]
    value = float(shown(mean))
    return Verdict(
        state=state,
        sentence=_sentence(claim, state, value, ends, n, needed, opposite=toward + half < 0),
        value=value,
        unit=claim.unit,
        n=n,
        low=ends[0],
        high=ends[1],
        p=_chance(toward, deviation, n, threshold, claim.says),
        would_decide=needed,
        detectable=float(shown(student.detectable(n, alpha) * deviation)),
    )


def spread(claim: Experiment, low: float, high: float, n: int, *, alpha: float = ALPHA) -> tuple[float, float]:
    """Mean and deviation of the effects that an interval was made of."""
    ends = (math.log(low), math.log(high)) if claim.ratio else (low, high)
    return sum(ends) / 2, (ends[1] - ends[0]) / 2 / half_width(1.0, n, alpha=alpha)


def half_width(deviation: float, n: int, *, alpha: float) -> float:
    """From the mean to a one-sided bound that is wrong with chance ``alpha`` for effects of a normal law."""
    return student.quantile(1 - alpha, n - 1) * deviation / math.sqrt(n)


def threshold_of(claim: Experiment) -> float:
    """The smallest effect as effects are counted: its logarithm where ratios are meant."""
    return math.log(claim.smallest_effect) if claim.ratio else claim.smallest_effect


def decide(low: float, high: float, threshold: float, says: Direction) -> State:
    """Where an interval lies by the smallest effect."""
    if says == "same":
        if -threshold < low and high < threshold:
            return "holds"
        return "fails" if low > threshold or high < -threshold else "undecided"
    if low > threshold:
        return "holds"
    return "fails" if high < threshold else "undecided"


def holm(chances: Sequence[float]) -> list[float]:
    """Chances adjusted so that, of a whole family, a wrong verdict comes at most with the chance that is asked for.

    Holm 1979, A simple sequentially rejective multiple test procedure: the smallest times m, the next times m - 1, and
    so on, none below the one before it.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(chances, kind="stable")
    adjusted, largest = [0.0] * len(chances), 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(chances) - place) * chances[index]))
        adjusted[index] = largest
    return adjusted


def _badness(case: Case) -> float:
    return math.inf if math.isnan(case.error) else case.error


def effects_of(claim: Experiment, first: Sequence[float], second: Sequence[float]) -> np.ndarray:
    """One effect per seed: the first's value minus the second's, or the logarithm of their ratio.

    Raises:
        UserError: as of :func:`judge_experiment`.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise UserError(
            f"The arms {claim.arms} gave values of {a.shape} and {b.shape}. `run` gives one number per seed, of the "
            "same seeds for both arms."
        )
    if len(a) < 2:
        raise UserError("One seed has no spread to judge by. Take at least 2; the claim's own number is better.")
    for arm, values in zip(claim.arms, (a, b), strict=True):
        bad = ~np.isfinite(values) | (values <= 0 if claim.ratio else False)
        if bad.any():
            wanted = "positive and finite, since their ratio is meant" if claim.ratio else "finite"
            raise UserError(f"Arm '{arm}' gave {values[bad][0]:g} where values must be {wanted}.")
    return np.log(a / b) if claim.ratio else a - b


def _chance(mean: float, deviation: float, n: int, threshold: float, says: Direction) -> float:
    """Of a mean so far from the threshold, were the truth on the other side of it."""
    distance = threshold - abs(mean) if says == "same" else mean - threshold
    if not deviation:
        return 0.0 if distance else 0.5
    return 1 - student.cdf(abs(distance) / deviation * math.sqrt(n), n - 1)


def _seeds_to_decide(
    mean: float, deviation: float, threshold: float, says: Direction, *, alpha: float, above: int
) -> int | None:
    """The fewest seeds whose interval would leave the threshold, were mean and deviation to stay as they are."""

    def decided(n: int) -> bool:
        half = half_width(deviation, n, alpha=alpha)
        return decide(mean - half, mean + half, threshold, says) != "undecided"

    if not decided(MOST_SEEDS):
        return None
    low, high = above, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high


def measured(claim: Experiment, verdict: Verdict) -> str:
    """Effect, interval and smallest effect in words, without a verdict."""
    return _measured(claim, verdict.value, (verdict.low or 0.0, verdict.high or 0.0), verdict.n)


def _measured(claim: Experiment, value: float, ends: Sequence[float], n: int) -> str:
    what = f"{'ratio' if claim.ratio else 'difference'} {value:.3g} [{ends[0]:.3g}, {ends[1]:.3g}] {claim.unit}"
    return f"{what}, {n} seeds; the smallest effect worth naming is {claim.smallest_effect:g}."


def _sentence(
    claim: Experiment, state: State, value: float, ends: Sequence[float], n: int, needed: int | None, *, opposite: bool
) -> str:
    text = f"{state}: {_measured(claim, value, ends, n)}"
    if state == "fails" and claim.says != "same":
        text += " It is the other way round." if opposite else " What there is, is smaller than that."
    if state == "undecided":
        text += f" About {needed} seeds would decide." if needed else f" More than {MOST_SEEDS:,} seeds would decide."
    return text
