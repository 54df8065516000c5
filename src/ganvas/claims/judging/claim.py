"""The contract of a claim: what one file says, so that one judge can decide it. No statistics stand in such a file.

A claim is a file with a docstring and a ``CLAIM``. It is of one of two kinds. An :class:`Identity` says that something
is so in every case, and is decided by its largest error. An :class:`Experiment` says that one arm has more than
another, and is decided by an interval of paired differences over shared seeds.

What is fixed before anything is run: the statement, who agrees with it and who denies it, what is measured, and the
smallest effect that would be worth naming. A difference that is sure and smaller than that does not make a claim true.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
    """That the first arm has more (less, the same) of something than the second.

    Args:
        arms: Two names. The effect of a seed is the first's value minus the second's, or their ratio.
        estimand: What a value is, in words.
        says: "more": the effect is above the smallest effect; "less": the other way round; "same": it lies within.
        smallest_effect: In ``unit``; of a ratio, a factor above 1.
        ratio: The values are positive and their ratio is meant: judged by its logarithm.
        seeds: How many are judged; part of the design.
        run: ``(arm, seeds) -> one value per seed``. The same seed must mean the same luck in both arms.
        rehearsal: The same with less work, for tests; None where ``run`` takes no time.
        tier: What ``run`` takes; the board and its check run those of "quick" where nothing else is asked for.
    """

    statement: str
    sources: tuple[Source, ...]
    scope: str
    arms: tuple[str, str]
    estimand: str
    says: Direction
    unit: str
    run: Run
    smallest_effect: float = math.nan
    ratio: bool = False
    seeds: int = 12
    rehearsal: Run | None = None
    tier: Tier = "quick"

    def __post_init__(self) -> None:
        _check(self, self.smallest_effect)
        _check_word("says", self.says, get_args(Direction))
        _check_arms(self.arms)
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
            f"arms={arms!r} must be two different names: the first's values are compared with the second's."
        )


def _check_seeds(seeds: Any) -> None:
    if isinstance(seeds, bool) or not isinstance(seeds, int):
        raise UserError(f"seeds={seeds!r} is no whole number. Take 12, or at least 5.")
    if seeds < 2:
        raise UserError(f"seeds={seeds}: one seed has no spread to judge by. Take 12, or at least 5.")
