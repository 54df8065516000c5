"""Surveys of text: how many lines, how long, of which tokens. Every line is read."""

from collections import Counter
from dataclasses import dataclass

from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.line_size import SPECIAL, TokenUnit
from ganvas.data.text.alphabet import Alphabet, split
from ganvas.data.text.text_source import TextSource

LEAST_LINES = 2
LEAST_TOKENS = 2


@dataclass(frozen=True, kw_only=True)
class TextSurvey:
    """Counts of what a source of text holds."""

    kind: str  # "text", "pydoc", "packed"
    unit: TokenUnit
    count: int  # Lines that are not blank.
    blank: int
    lengths: Counter[int]  # Tokens of a line: how many lines have so many.
    counts: Counter[str]  # Token: how often.
    known: tuple[str, ...] | None = None  # All tokens that there can be, where that is known.
    law: str | None = None  # The oracle that draws the lines, where one does.

    @property
    def longest(self) -> int:
        """Tokens of the longest line."""
        return max(self.lengths)

    def length_of(self, share: float) -> int:
        """The length that this share of all lines does not exceed."""
        sizes = sorted(self.lengths)
        return next(size for size in sizes if self.longer_than(size) <= (1 - share) * self.count)

    def longer_than(self, length: int) -> int:
        """How many lines have more tokens."""
        return sum(count for size, count in self.lengths.items() if size > length)

    def alphabet(self, most: int) -> Alphabet:
        """The alphabet of at most ``most`` numbers, END and UNKNOWN among them."""
        if self.known is not None:
            return Alphabet(self.known[: most - SPECIAL], self.unit)
        return Alphabet.of_counts(self.counts, self.unit, most=most)

    @property
    def closed(self) -> bool:
        """Whether every line has one length, of tokens that are all known."""
        return self.known is not None and len(self.lengths) == 1

    @property
    def numbers(self) -> int:
        """Of the whole alphabet."""
        return len(self.counts if self.known is None else self.known) + SPECIAL


def survey_of(source: TextSource, unit: TokenUnit) -> TextSurvey:
    """Reads a source of text to its end.

    Raises:
        UserError: it is not text in UTF-8, or has so few lines or tokens that there is nothing to learn.
    """
    blank, lengths, counts = 0, Counter[int](), Counter[str]()
    for line in source.lines():
        tokens = split(line, unit) if line.strip() else ""
        blank += not tokens
        if tokens:
            lengths[len(tokens)] += 1
            counts.update(tokens)
    found = TextSurvey(
        kind=source.kind,
        unit=unit,
        count=lengths.total(),
        blank=blank,
        lengths=lengths,
        counts=counts,
        known=source.tokens if unit == "words" else None,
        law=source.law if unit == "words" else None,
    )
    _require_enough(found, source.location)
    return found


def _require_enough(found: TextSurvey, location: str) -> None:
    if not found.count:
        raise UserError(f"{location} holds no lines but blank ones. Write one sample a line.")
    if found.count < LEAST_LINES:
        (length,) = found.lengths
        raise UserError(
            f"{location} is one line of {length:,} {found.unit}, and a sample is a line. Break it into lines, as in "
            "fold -s -w 80."
        )
    if len(found.counts) < LEAST_TOKENS:
        (token,) = found.counts
        raise UserError(
            f"{location}: every line is made of {token!r} alone, so that there is nothing to learn. Give text of two "
            f"{found.unit} or more."
        )
