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
        statement="A discriminator that sees the batch judges sets better than the mean of verdicts on single samples.",
        expected="half true",
        reason="It waits for a test of power, over sets of 16 to 1,024: the judge compares two arms and no curves, and "
        "what is exact of the best discriminator is `distances/mean_of_verdicts`.",
    ),
    UnwrittenClaim(
        statement="The size of pictures at test time may differ freely, also where a GAN is scored.",
        expected="fails",
        reason="It waits for generators of all seeds at once that draw at several sizes; of a classifier it is "
        "`fields/test_size_may_differ`.",
    ),
)
