"""Alphabets: which number a character or a word has, and lines as rows of numbers and back.

Numbers 0 and 1 are END and UNKNOWN (:mod:`ganvas.core.sample_sizes.line_size`); what occurs in a text follows, the most
frequent first, and of equally frequent tokens the one that sorts first.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

from ganvas.core.sample_sizes.line_size import END, SPECIAL, UNKNOWN, TokenUnit

WRITTEN_UNKNOWN = {"characters": "\ufffd", "words": "<unk>"}

TokenRows = Int[np.ndarray, "n l"]


@dataclass(frozen=True)
class Alphabet:
    """The tokens of a text in the order of their numbers, from :data:`SPECIAL` on."""

    tokens: tuple[str, ...]
    unit: TokenUnit

    @classmethod
    def of_counts(cls, counts: Counter[str], unit: TokenUnit, *, most: int) -> "Alphabet":
        """The most frequent tokens, so that there are at most ``most`` numbers in all."""
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        written = WRITTEN_UNKNOWN[unit]  # A text that holds the sign itself means it.
        return cls(tuple(token for token, _ in ordered if token != written)[: most - SPECIAL], unit)

    def __len__(self) -> int:
        return len(self.tokens) + SPECIAL

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of every token."""
        return {token: SPECIAL + place for place, token in enumerate(self.tokens)}

    def encode(self, lines: Sequence[str], length: int) -> TokenRows:
        """Lines as rows of numbers, cut at ``length`` tokens."""
        rows = np.full((len(lines), length), END, np.int32)
        for row, line in zip(rows, lines, strict=True):
            found = [self.numbers.get(token, UNKNOWN) for token in split(line, self.unit)[:length]]
            row[: len(found)] = found
        return rows

    def decode(self, rows: TokenRows) -> list[str]:
        """Rows of numbers as lines, each up to its first END."""
        written = np.array(["", WRITTEN_UNKNOWN[self.unit], *self.tokens], dtype=object)
        between = "" if self.unit == "characters" else " "
        return [between.join(written[row[: _length(row)]]) for row in np.asarray(rows)]


def split(line: str, unit: TokenUnit) -> Sequence[str]:
    """The tokens of a line: its characters, or what stands between spaces.

    >>> split("to be", "words"), len(split("to be", "characters"))
    (['to', 'be'], 5)
    """
    return line if unit == "characters" else line.split()


def _length(row: np.ndarray) -> int:
    ends = np.flatnonzero(row == END)
    return int(ends[0]) if len(ends) else len(row)
