"""Statements that are to become claims and are not yet: an honest list, so that the board shows what is missing.

Each with the verdict that earlier measurements or papers let one expect, and with the reason why there is no file: the
board says it, and a row without one cannot be made. Whoever writes the file strikes the row.
"""

from dataclasses import dataclass
from typing import Literal

from ganvas.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class UnwrittenClaim:
    """One statement without a file, and the reason in one sentence."""

    statement: str
    expected: Literal["holds", "fails", "half true", "open"]
    reason: str

    def __post_init__(self) -> None:
        if len(self.reason.split()) < 4 or not self.reason.endswith("."):
            raise UserError(f"'{self.statement}' has no claim and no reason. Say in one sentence what it waits for.")


UNWRITTEN = (
    UnwrittenClaim(
        statement="Growing is faster and stabler.",
        expected="half true",
        reason="It waits for a tier of hours: pictures of three sizes, played until they tell, on several seeds.",
    ),
    UnwrittenClaim(
        statement="Centres and scales of boxes need no tuning per data set.",
        expected="holds",
        reason="It waits for detectors of all seeds at once: one of either kind takes minutes to learn boxes, and two "
        "data sets of eight seeds would take hours.",
    ),
)
