"""Sizes of lines of text as models set them: how many tokens a line has at most, and how many kinds of token there are.

A token is a character or a word. A line is a row of their numbers in an alphabet, :data:`END` from its end on. The
first two numbers of every alphabet are not tokens of a text: :data:`END`, and :data:`UNKNOWN` for what it lacks.
"""

from dataclasses import dataclass
from typing import Literal

from ganvas.core.checks import at_least

END, UNKNOWN = 0, 1
SPECIAL = 2  # Numbers that are not tokens of a text.

TokenUnit = Literal["characters", "words"]
UNITS: tuple[TokenUnit, ...] = ("characters", "words")


@dataclass(frozen=True, kw_only=True)
class LineSize:
    """The size of a line.

    Attributes:
        length: Tokens of a line at most; longer ones are cut.
        alphabet: Numbers that a token may have, END and UNKNOWN among them.
        unit: What a token is.
        closed: Every line has the whole length and knows its tokens, as those of an oracle do: nothing ends before.
    """

    length: int
    alphabet: int
    unit: TokenUnit
    closed: bool = False

    def __post_init__(self) -> None:
        at_least(self, 1, "length")
        at_least(self, SPECIAL + 1, "alphabet")
