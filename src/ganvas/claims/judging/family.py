"""Verdicts of a family, after Holm: what would hold alone may be undecided among many.

Of claims that are judged together, some have a small p by luck alone. Holm's rule (1979, A simple sequentially
rejective multiple test procedure) asks the smallest of m to be below alpha / m, the next below alpha / (m - 1), and so
on, and stops at the first that is not. It comes to one level for the whole family: alpha divided by the number of
claims that are left undecided. Identities have no chance in them and belong to no family.
"""

import dataclasses
from collections.abc import Mapping

from ganvas.claims.judging.claim import Experiment
from ganvas.claims.judging.judge import ALPHA, Verdict, holm, judge_spread, spread, threshold_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgedExperiment:
    """One experiment, as it was judged."""

    claim: Experiment
    verdict: Verdict


def adjusted(family: Mapping[str, JudgedExperiment]) -> dict[str, float]:
    """The p of every member among all of them."""
    chances = [one.verdict.p for one in family.values()]
    return dict(zip(family, holm([chance for chance in chances if chance is not None]), strict=True))


def settled(family: Mapping[str, JudgedExperiment]) -> dict[str, Verdict]:
    """Every member's verdict by the level of its family; the intervals are those of each alone.

    What has been settled before comes out the same.
    """
    left = sum(chance > ALPHA for chance in adjusted(family).values())
    return {name: _settled(one, len(family), ALPHA / max(left, 1)) for name, one in family.items()}


def alone(one: JudgedExperiment, level: float = ALPHA) -> Verdict:
    """The verdict by the interval, whatever is judged beside it."""
    mean, deviation = _spread(one)
    return judge_spread(one.claim, mean, deviation, one.verdict.n, level=level)


def planted(one: JudgedExperiment) -> Verdict:
    """A control: the verdict on effects of twice the smallest one, with the spread that was measured.

    A design that has seeds enough finds it, and says "holds", or "fails" of what is said to be the same; of another the
    verdict says how many seeds would. No seed is run for it.
    """
    effect = 2 * threshold_of(one.claim) * (-1.0 if one.claim.says == "less" else 1.0)
    return judge_spread(one.claim, effect, _spread(one)[1], one.verdict.n)


def finds_planted(one: JudgedExperiment) -> bool:
    """Whether the planted effect is found."""
    return planted(one).state == ("fails" if one.claim.says == "same" else "holds")


def _spread(one: JudgedExperiment) -> tuple[float, float]:
    if one.claim.share:
        return one.verdict.value, 0.0
    assert one.verdict.low is not None
    assert one.verdict.high is not None
    return spread(one.claim, one.verdict.low, one.verdict.high, one.verdict.n)


def _settled(one: JudgedExperiment, members: int, level: float) -> Verdict:
    among, by_itself = alone(one, level), alone(one)
    sentence = among.sentence
    if among.state != by_itself.state:
        told, _, needed = sentence.rpartition(". ")
        sentence = f"{told}. Alone it {by_itself.state}, among the {members} of its family it is undecided. {needed}"
    return dataclasses.replace(one.verdict, state=among.state, sentence=sentence, would_decide=among.would_decide)
