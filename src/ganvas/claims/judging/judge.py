"""The judge of all claims: a verdict from an interval, never from a p-value alone.

Of an experiment it takes one effect per seed, the difference of two arms that shared the seed, and two one-sided
bounds at ``alpha`` each by Student's t. The claim *holds* where the interval lies beyond the smallest effect, *fails*
where it lies on the other side, and is *undecided* in between; then the judge says how many seeds would decide, were
mean and spread to stay. Whatever the truth is, only one of the two verdicts is wrong, so a wrong one comes at most
with chance ``alpha``. Percentile bootstraps are not used: with five seeds they cover far less than they say.

The effect of a trend is how far a seed's values rise over the doses. Shares of runs that diverge follow no normal law;
theirs are two exact bounds at ``alpha`` each.

Of an identity it takes the largest error, and names the case.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ganvas.claims.judging import shares, student
from ganvas.claims.judging.claim import Case, Direction, Experiment, Identity
from ganvas.claims.judging.trends import rises
from ganvas.core.errors import UserError

VERSION = 1  # Of the rules below; part of every lock. Another kind of claim changes no rule of the others.
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


def judge_experiment(claim: Experiment, *values: Sequence[float], alpha: float = ALPHA) -> Verdict:
    """The verdict on the arms' values, seed by seed.

    Raises:
        UserError: fewer than two seeds, arms of unlike length, a value that is not finite, or not positive where
            ratios are meant, or neither 0 nor 1 where shares are.
    """
    effects = effects_of(claim, *values)
    return judge_spread(claim, float(effects.mean()), float(effects.std(ddof=1)), len(effects), alpha=alpha)


def judge_spread(
    claim: Experiment, mean: float, deviation: float, n: int, *, alpha: float = ALPHA, level: float | None = None
) -> Verdict:
    """The verdict on so many effects of a mean and a deviation, which are all that it depends on.

    Args:
        mean: Of the effects; of ratios, of their logarithms, as the deviation is. Shares depend on no deviation.
        alpha: Of the interval that is shown.
        level: That it is decided by, where it is another: less than ``alpha`` for one claim of many.
    """
    level = level or alpha
    plain = interval(claim, mean, deviation, n, alpha=alpha)
    strict = _toward(claim, interval(claim, mean, deviation, n, alpha=level))
    state = decide(*strict, threshold_of(claim), claim.says)
    needed = _seeds_to_decide(claim, mean, deviation, alpha=level, above=n) if state == "undecided" else None
    shown = np.exp if claim.ratio else (lambda value: value)
    ends = [float(shown(end)) for end in plain]
    value = float(shown(mean))
    return Verdict(
        state=state,
        sentence=_sentence(claim, state, value, ends, n, needed, opposite=_toward(claim, plain)[1] < 0),
        value=value,
        unit=claim.unit,
        n=n,
        low=ends[0],
        high=ends[1],
        p=_chance(claim, mean, deviation, n),
        would_decide=needed,
        detectable=_detectable(claim, deviation, n, alpha),
    )


def interval(claim: Experiment, mean: float, deviation: float, n: int, *, alpha: float) -> tuple[float, float]:
    """Two bounds on the effect, each wrong with chance ``alpha``; of ratios, on their logarithm."""
    if claim.share:
        return shares.bounds(round(mean * n), n, alpha)
    half = half_width(deviation, n, alpha=alpha)
    return mean - half, mean + half


def _toward(claim: Experiment, ends: tuple[float, float]) -> tuple[float, float]:
    """An interval seen from what is claimed: more is upwards, and so is less."""
    return (-ends[1], -ends[0]) if claim.says == "less" else ends


def _detectable(claim: Experiment, deviation: float, n: int, alpha: float) -> float | None:
    if claim.share:
        return shares.detectable(n, alpha, claim.smallest_effect)
    found = student.detectable(n, alpha) * deviation
    return float(np.exp(found)) if claim.ratio else found


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


def effects_of(claim: Experiment, *values: Sequence[float]) -> np.ndarray:
    """One effect per seed: the first's value minus the second's, the logarithm of their ratio, or the rise over doses.

    Raises:
        UserError: as of :func:`judge_experiment`.
    """
    found = [np.asarray(one, np.float64) for one in values]
    if found[0].ndim != 1 or any(one.shape != found[0].shape for one in found):
        shapes = " and ".join(str(one.shape) for one in found)
        raise UserError(
            f"The arms {claim.arms} gave values of {shapes}. `run` gives one number per seed, of the same seeds for "
            "all arms."
        )
    if len(found[0]) < 2:
        raise UserError("One seed has no spread to judge by. Take at least 2; the claim's own number is better.")
    for arm, one in zip(claim.arms, found, strict=True):
        _check_values(claim, arm, one)
    if claim.doses:
        whole = np.stack(found)
        return rises(np.log(whole) if claim.ratio else whole, claim.doses)
    a, b = found
    return np.log(a / b) if claim.ratio else a - b


def _check_values(claim: Experiment, arm: str, values: np.ndarray) -> None:
    bad = ~np.isfinite(values)
    wanted = "finite"
    if claim.ratio:
        bad, wanted = bad | (values <= 0), "positive and finite, since their ratio is meant"
    if claim.share:
        bad, wanted = ~np.isin(values, (0, 1)), "1 of a run that diverged and 0 of another"
    if bad.any():
        raise UserError(f"Arm '{arm}' gave {values[bad][0]:g} where values must be {wanted}.")


def _chance(claim: Experiment, mean: float, deviation: float, n: int) -> float:
    """Of a mean so far from the threshold, were the truth on the other side of it."""
    toward, threshold = (-mean if claim.says == "less" else mean), threshold_of(claim)
    if claim.share:
        return _chance_of_shares(claim.says, round(toward * n), n, threshold)
    distance = threshold - abs(toward) if claim.says == "same" else toward - threshold
    if not deviation:
        return 0.0 if distance else 0.5
    return 1 - student.cdf(abs(distance) / deviation * math.sqrt(n), n - 1)


def _chance_of_shares(says: Direction, excess: int, n: int, threshold: float) -> float:
    above, below = shares.chance(excess, n, threshold), shares.chance(-excess, n, -threshold)
    if says != "same":
        return min(above, below)
    within = max(below, shares.chance(excess, n, -threshold))
    return min(within, above, shares.chance(-excess, n, threshold))


def _seeds_to_decide(claim: Experiment, mean: float, deviation: float, *, alpha: float, above: int) -> int | None:
    """The fewest seeds whose interval would leave the threshold, were mean and deviation to stay as they are."""

    def decided(n: int) -> bool:
        if claim.share:  # As the bounds say it, without looking for them.
            return _chance(claim, mean, deviation, n) <= alpha
        ends = _toward(claim, interval(claim, mean, deviation, n, alpha=alpha))
        return decide(*ends, threshold_of(claim), claim.says) != "undecided"

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
    over = f" over {len(claim.doses)} levels" if claim.doses else ""
    what = f"{effect_name(claim)}{over} {value:.3g} [{ends[0]:.3g}, {ends[1]:.3g}] {claim.unit}"
    return f"{what}, {n} seeds; the smallest effect worth naming is {claim.smallest_effect:g}."


def effect_name(claim: Experiment) -> str:
    """What an effect of one seed is, in a word."""
    return "ratio" if claim.ratio else "rise" if claim.doses else "difference"


def _sentence(
    claim: Experiment, state: State, value: float, ends: Sequence[float], n: int, needed: int | None, *, opposite: bool
) -> str:
    text = f"{state}: {_measured(claim, value, ends, n)}"
    if state == "fails" and claim.says != "same":
        text += " It is the other way round." if opposite else " What there is, is smaller than that."
    if state == "undecided":
        text += f" About {needed} seeds would decide." if needed else f" More than {MOST_SEEDS:,} seeds would decide."
    return text
