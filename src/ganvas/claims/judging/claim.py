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
from typing import Literal, TypeAlias

from ganvas.core.errors import UserError

Stance = Literal["agrees", "denies"]
Direction = Literal["more", "less", "same"]
Run: TypeAlias = Callable[[str, Sequence[int]], Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Somebody who has an opinion on a claim."""

    who: str
    stance: Stance
    link: str = ""


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
        smallest_effect: The largest error that still counts as none, in ``unit``.
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

    def __post_init__(self) -> None:
        _check(self, self.smallest_effect)
        if self.ratio and self.smallest_effect <= 1:
            raise UserError(
                f"smallest_effect={self.smallest_effect:g} of a ratio must be above 1: 1.1 means a tenth more."
            )
        if self.seeds < 2:
            raise UserError(f"seeds={self.seeds}: one seed has no spread to judge by. Take 12, or at least 5.")


Claim: TypeAlias = Identity | Experiment


def _check(claim: Claim, smallest_effect: float) -> None:
    if not math.isfinite(smallest_effect) or smallest_effect < 0:
        raise UserError(
            f"The claim '{claim.statement}' names no smallest effect. Without one, a difference too small to matter "
            "would make it true: give smallest_effect=..., the least that would be worth naming, before you run it."
        )
    if not claim.sources:
        raise UserError(f"The claim '{claim.statement}' names nobody who agrees or denies. Give at least one source.")
