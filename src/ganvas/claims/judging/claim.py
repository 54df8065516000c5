"""The contract of a claim: what one file says, so that one judge can decide it. No statistics stand in such a file.

A claim is a file with a docstring and a ``CLAIM``. It is of one of two kinds. An :class:`Identity` says that something
is so in every case, and is decided by its largest error. An :class:`Experiment` says that one arm has more than
another, and is decided by an interval of paired differences over shared seeds. What differs may also be a trend over
the levels of a factor, each an arm with its dose, or the share of runs that diverge.

What is fixed before anything is run: the statement, who agrees with it and who denies it, what is measured, and the
smallest effect that would be worth naming. A difference that is sure and smaller than that does not make a claim true.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

from ganvas.core.errors import UserError, did_you_mean

Stance = Literal["agrees", "denies"]
Direction = Literal["more", "less", "same"]
Tier = Literal["quick", "full", "gpu"]
"""What a claim takes: three minutes of a core or less, more than that, or a GPU. The file says ``tier="full"``."""
Run: TypeAlias = Callable[[str, Sequence[int]], Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Somebody who has an opinion on a claim."""

    who: str
    stance: Stance
    link: str = ""

    def __post_init__(self) -> None:
        _check_word("stance", self.stance, get_args(Stance))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case of an identity and how far off it is.

    ``inside``: whether the condition of ``Identity.holds_when`` is met. A claim that holds in all such cases, and not
    in others, is half true.
    """

    name: str
    error: float
    inside: bool = True


@dataclass(frozen=True, kw_only=True)
class Identity:
    """That something is so in every case.

    Args:
        smallest_effect: The largest error that still counts as none, in ``unit``; 0 of what is so to the last bit.
        cases: All of them, or a grid that is dense enough to find the exception.
        twin: The same cases with one thing wrong; the judge must find them false, or it sees nothing.
        holds_when: The condition under which a half-true claim holds; cases say whether they are inside of it.
    """

    statement: str
    sources: tuple[Source, ...]
    scope: str
    cases: Callable[[], Iterable[Case]]
    twin: Callable[[], Iterable[Case]]
    smallest_effect: float = math.nan
    unit: str = "relative error"
    holds_when: str = ""
    tier: Tier = "quick"

    def __post_init__(self) -> None:
        _check(self, self.smallest_effect)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """That the first arm has more (less, the same) of something than the second, or that it rises from arm to arm.

    Args:
        arms: Two names. The effect of a seed is the first's value minus the second's, or their ratio. Of a trend three
            or more, and the effect is the rise from the first dose to the last along the line of least squares.
        estimand: What a value is, in words.
        says: "more": the effect is above the smallest effect; "less": the other way round; "same": it lies within.
        smallest_effect: In ``unit``; of a ratio, a factor above 1.
        ratio: The values are positive and their ratio is meant: judged by its logarithm.
        doses: Of a trend, one for each arm and rising, on the scale on which a line is meant: 0, 1, 2 of 16, 64, 256.
        share: The values are 1 of a run that diverged and 0 of another, and shares of runs are meant: judged by exact
            bounds, since seven runs of eight follow no normal law.
        seeds: How many are judged; part of the design.
        run: ``(arm, seeds) -> one value per seed``. The same seed must mean the same luck in both arms.
        rehearsal: The same with less work, for tests; None where ``run`` takes no time.
        tier: What ``run`` takes; the board and its check run those of "quick" where nothing else is asked for.
    """

    statement: str
    sources: tuple[Source, ...]
    scope: str
    arms: tuple[str, ...]
    estimand: str
    says: Direction
    unit: str
    run: Run
    smallest_effect: float = math.nan
    ratio: bool = False
    doses: tuple[float, ...] = ()
    share: bool = False
    seeds: int = 12
    rehearsal: Run | None = None
    tier: Tier = "quick"

    def __post_init__(self) -> None:
        _check(self, self.smallest_effect)
        _check_word("says", self.says, get_args(Direction))
        _check_doses(self.arms, self.doses) if self.doses else _check_arms(self.arms)
        _check_share(self)
        if self.ratio and self.smallest_effect <= 1:
            raise UserError(
                f"smallest_effect={self.smallest_effect:g} of a ratio must be above 1: 1.1 means a tenth more."
            )
        if self.smallest_effect <= 0:
            raise UserError(
                f"smallest_effect={self.smallest_effect:g} must be above 0: it is the least difference worth naming, "
                'without a sign. Which way it goes is what says="more" or says="less" is for.'
            )
        _check_seeds(self.seeds)


Claim: TypeAlias = Identity | Experiment


def _check(claim: Claim, smallest_effect: Any) -> None:
    if isinstance(smallest_effect, bool) or not isinstance(smallest_effect, int | float):
        raise UserError(f"smallest_effect={smallest_effect!r} is no number. Give the least that would be worth naming.")
    if math.isnan(smallest_effect):
        raise UserError(
            f"The claim '{claim.statement}' names no smallest effect. Without one, a difference too small to matter "
            "would make it true: give smallest_effect=..., the least that would be worth naming, before you run it."
        )
    if not 0 <= smallest_effect < math.inf:
        raise UserError(
            f"smallest_effect={smallest_effect:g} must be a size: finite, without a sign. Give the least that would be "
            "worth naming."
        )
    _check_word("tier", claim.tier, get_args(Tier))
    if not claim.sources:
        raise UserError(f"The claim '{claim.statement}' names nobody who agrees or denies. Give at least one source.")


def _check_word(name: str, given: Any, known: Sequence[str]) -> None:
    if given not in known:
        choices = ", ".join(f'"{word}"' for word in known)
        near = did_you_mean(given, known) if isinstance(given, str) else ""
        raise UserError(f"{name}={given!r} is none of {choices}.{near}")


def _check_arms(arms: Any) -> None:
    if not isinstance(arms, tuple | list) or len(arms) != 2 or arms[0] == arms[1]:
        raise UserError(
            f"arms={arms!r} must be two different names: the first's values are compared with the second's. A trend "
            "over more of them says doses=..., one for each."
        )


def _check_doses(arms: Sequence[str], doses: Sequence[float]) -> None:
    if len(arms) != len(doses) or len(set(arms)) < max(len(arms), 3):
        raise UserError(
            f"A trend over {len(doses)} doses has as many arms of different names, and 3 or more; these are {arms!r}. "
            "Of two, say which has more, and no doses."
        )
    if not all(low < high < math.inf for low, high in pairwise(doses)):
        raise UserError(f"doses={doses!r} must rise from arm to arm, and be finite. Give arms and doses in that order.")


def _check_share(claim: Experiment) -> None:
    if claim.share and (claim.ratio or claim.doses):
        raise UserError("share=True is a difference of shares between two arms: leave ratio and doses out.")
    if claim.share and claim.smallest_effect > 0.5:
        raise UserError(
            f"smallest_effect={claim.smallest_effect:g} of shares of runs must be .5 at most: twice as much is planted "
            "to see whether there are seeds enough, and no share is more than 1."
        )


def _check_seeds(seeds: Any) -> None:
    if isinstance(seeds, bool) or not isinstance(seeds, int):
        raise UserError(f"seeds={seeds!r} is no whole number. Take 12, or at least 5.")
    if seeds < 2:
        raise UserError(f"seeds={seeds}: one seed has no spread to judge by. Take 12, or at least 5.")
