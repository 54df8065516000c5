"""Looks at a locked design: how often it was judged, and what a look that was not planned may still say.

Who looks again with more seeds until the verdict suits is wrong more often than the judge says. So each locked design
has one chance of error, and the first look says how it is spent:

- With the design's own number of seeds it is all spent on that verdict. Other numbers of seeds decide nothing any more;
  more seeds want a design of their own, whose lock draws others.
- With another number the design is judged as a row of looks, of which there may be any number: by an e-process over the
  signs of its effects, seed by seed. Evidence is the likelihood of so many wins, averaged over chances of winning from
  a half to one, by that at a half. That it ever reaches 1 / alpha has, where nothing is to be found, at most the
  chance alpha (Ville's inequality; Ramdas et al. 2023, Game-theoretic statistics and safe anytime-valid inference).
  Of shares of runs, whose mean may lie where no effect does, it is what a stake on them has become.

The looks of an own claim are noted in its lock. A claim of the package has been looked at by the board.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ganvas.claims.judging import lock, shares
from ganvas.claims.judging.claim import Experiment
from ganvas.claims.judging.judge import (
    ALPHA,
    MOST_SEEDS,
    State,
    Verdict,
    effects_of,
    judge_experiment,
    measured,
    threshold_of,
)
from ganvas.claims.judging.running import Found, Outcome

MOST_BITS = 1000  # Of evidence; beyond it is no floating number any more.


def after_looks(found: Found, digest: str | None, outcome: Outcome) -> Outcome:
    """The outcome with the verdict that this look may give, and the look noted; no draft and no identity has looks."""
    claim = found.claim
    if digest is None or not isinstance(claim, Experiment):
        return outcome
    n, before = len(outcome.seeds), earlier(found)
    if not found.is_of_package:
        lock.note_look(found.path, n)
    if (before or [n])[0] == claim.seeds:
        if n == claim.seeds:
            return outcome
        return dataclasses.replace(outcome, verdict=_spent(claim, outcome.verdict))
    return dataclasses.replace(outcome, verdict=judge_row(claim, *outcome.values))


def earlier(found: Found) -> list[int]:
    """The number of seeds of each look so far at the design as it is locked."""
    if isinstance(found.claim, Experiment) and found.is_of_package:
        return [found.claim.seeds]
    return lock.looks(found.path)


def judge_row(claim: Experiment, *values: Sequence[float], alpha: float = ALPHA) -> Verdict:
    """The verdict of a row of looks that has come so far; it may go on, and begins with the same seeds.

    Raises:
        UserError: as of ``judge_experiment``.
    """
    plain, effects = judge_experiment(claim, *values, alpha=alpha), effects_of(claim, *values)
    toward = -effects if claim.says == "less" else effects
    state, at, evidence = _crossing(claim, toward, alpha)
    needed = None
    if state == "undecided":
        on, last, _ = _crossing(claim, np.resize(toward, MOST_SEEDS), alpha)
        needed = None if on == "undecided" else last
    told = f"As a row of looks, evidence is {evidence:.3g} after {at} seeds; {1 / alpha:.0f} decides."
    if state == "undecided":
        told += f" About {needed} seeds would." if needed else f" More than {MOST_SEEDS:,} seeds would."
    return dataclasses.replace(
        plain,
        state=state,
        sentence=f"{state}: {measured(claim, plain)} {told}",
        p=min(1.0, 1 / evidence),
        would_decide=needed,
    )


def sign_evidence(won: np.ndarray) -> Iterator[float]:
    """Evidence after each sign that wins are likelier than losses.

    With w wins of n it is the sum of the binomials of n + 1 over 0 to w, by n + 1 and by that of n over w.

    >>> [round(evidence, 1) for evidence in sign_evidence(np.ones(7, bool))]
    [1.5, 2.3, 3.8, 6.2, 10.5, 18.1, 31.9]
    """
    wins, below = 0, 1  # Below: of n + 1, the binomials over 0 to the number of wins.
    for n, one in enumerate(won.tolist(), start=1):
        below = 2 * below - math.comb(n, wins)
        if one:
            wins += 1
            below += math.comb(n + 1, wins)
        by = (n + 1) * math.comb(n, wins)
        yield below / by if below.bit_length() - by.bit_length() < MOST_BITS else math.inf


def _crossing(claim: Experiment, toward: np.ndarray, alpha: float) -> tuple[State, int, float]:
    """The first verdict of a row, after how many seeds, and by what evidence; of none, the largest that there is."""
    most, at = 0.0, 0
    for n, (holds, fails) in enumerate(_evidence(claim, toward), start=1):
        if max(holds, fails) * alpha >= 1:
            return ("holds" if holds >= fails else "fails"), n, max(holds, fails)
        most, at = max(most, holds, fails), n
    return "undecided", at, most


def _evidence(claim: Experiment, toward: np.ndarray) -> Iterator[tuple[float, float]]:
    """For the claim and against it, seed by seed."""
    threshold = threshold_of(claim)
    if claim.says == "same":
        above, below = _beyond(claim, toward, threshold), _beyond(claim, -toward, threshold)
        under, over = _beyond(claim, -toward, -threshold), _beyond(claim, toward, -threshold)
        within = zip(_largest(under), _largest(over), strict=True)
        outside = ((up + down) / 2 for up, down in zip(above, below, strict=True))
        yield from zip((min(both) for both in within), outside, strict=True)
    else:
        yield from zip(_beyond(claim, toward, threshold), _beyond(claim, -toward, -threshold), strict=True)


def _beyond(claim: Experiment, effects: np.ndarray, least: float) -> Iterator[float]:
    """Evidence that effects lie above ``least``; of shares their mean, which most of them may lie on no side of."""
    return shares.betting_evidence(effects, least) if claim.share else sign_evidence(effects > least)


def _largest(values: Iterator[float]) -> Iterator[float]:
    """So far: each of two sides may be refuted at a time of its own."""
    most = 0.0
    for value in values:
        most = max(most, value)
        yield most


def _spent(claim: Experiment, plain: Verdict) -> Verdict:
    """What a look says whose design has spent its chance of error."""
    told = (
        f"The design was judged by its own {claim.seeds} seeds, and that verdict stands: other seeds, looked at "
        f"after it, decide nothing. Lock a design with seeds={plain.n}; it draws others."
    )
    sentence = f"undecided: {measured(claim, plain)} {told}"
    return dataclasses.replace(plain, state="undecided", sentence=sentence, p=None, would_decide=None)
