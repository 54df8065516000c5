"""Ranges of settings that a search draws from: each maps a uniform number to a value, so that draws can be repeated.

Written on a command line ``lr=1e-5..1e-2:log`` (even in the logarithm), ``beta1=0..0.9`` (even), ``critic_moves=1,5``
(one of these).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.core.errors import UserError


@dataclass(frozen=True)
class Uniform:
    """Evenly between two numbers.

    >>> Uniform(0.0, 0.9).at(0.5), str(Uniform(0.0, 0.9))
    (0.45, '0..0.9')
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _require_order(self.low, self.high)

    def at(self, u: float) -> float:
        """The value of a uniform number in [0, 1)."""
        return self.low + u * (self.high - self.low)

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"


@dataclass(frozen=True)
class LogUniform:
    """Evenly in the logarithm between two positive numbers: ``10^U(log low, log high)``.

    >>> round(LogUniform(1e-5, 1e-3).at(0.5), 12), str(LogUniform(1e-5, 1e-3))
    (0.0001, '1e-05..0.001:log')
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _require_order(self.low, self.high)
        if self.low <= 0:
            raise UserError(f"The range {self}: a logarithm is of numbers above 0. Leave out :log, or begin above 0.")

    def at(self, u: float) -> float:
        """The value of a uniform number in [0, 1)."""
        return math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}:log"


@dataclass(frozen=True)
class OneOf:
    """One of some values, each as likely.

    >>> [OneOf((1, 5)).at(u) for u in (0.0, 0.49, 0.5, 0.99)], str(OneOf((1, 5)))
    ([1, 1, 5, 5], '1,5')
    """

    values: tuple[Any, ...]

    def at(self, u: float) -> Any:
        """The value of a uniform number in [0, 1)."""
        return self.values[int(u * len(self.values))]

    def __str__(self) -> str:
        return ",".join(map(str, self.values))


Range = Uniform | LogUniform | OneOf
Ranges = Mapping[str, Range]  # By the name of the setting.


def parse_ranges(texts: Sequence[str]) -> dict[str, Range]:
    """Ranges as a person writes them.

    >>> {name: str(one) for name, one in parse_ranges(["lr=1e-4..1e-2:log", "critic_moves=1,5"]).items()}
    {'lr': '0.0001..0.01:log', 'critic_moves': '1,5'}
    """
    found = {}
    for text in texts:
        name, equals, given = text.partition("=")
        if not equals or not name.strip() or not given.strip():
            raise UserError(f"--range {text}: a range is written FIELD=LOW..HIGH, FIELD=LOW..HIGH:log, or FIELD=A,B,C.")
        found[name.strip().replace("-", "_")] = _parsed(given.strip(), text)
    return found


def _parsed(given: str, text: str) -> Range:
    if ".." not in given:
        return OneOf(tuple(value.strip() for value in given.split(",") if value.strip()))
    span, _, kind = given.partition(":")
    low, _, high = span.partition("..")
    if kind not in ("", "log"):
        raise UserError(f"--range {text}: after the colon only log is known.")
    try:
        ends = float(low), float(high)
    except ValueError:
        raise UserError(f"--range {text}: {low} and {high} must be numbers.") from None
    return LogUniform(*ends) if kind else Uniform(*ends)


def _require_order(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UserError(f"The range {low:g}..{high:g} is empty. Give the smaller number first.")
