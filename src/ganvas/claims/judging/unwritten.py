"""Statements that are to become claims and are not yet: an honest list, so that the board shows what is missing.

Each with the verdict that earlier measurements or papers let one expect. ``waits_for`` names what Ganvas lacks for it;
where that is empty, nothing but the file is missing. Whoever writes the file strikes the row.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class UnwrittenClaim:
    """One statement without a file."""

    statement: str
    expected: str  # holds, fails, half true or open.
    waits_for: str = ""


def _rows(*rows: tuple[str, str] | tuple[str, str, str]) -> tuple[UnwrittenClaim, ...]:
    return tuple(
        UnwrittenClaim(statement=row[0], expected=row[1], waits_for=row[2] if len(row) == 3 else "") for row in rows
    )


MINUTES = "a tier of more than a minute: pictures of three sizes, played until they tell"
DETECTORS = "a tier of more than a minute: detectors that are trained on one data set and tested on another"

UNWRITTEN = _rows(
    ("Overlapping pooling beats pooling of 2 by 2.", "open"),
    ("Local response normalisation improves generalisation.", "fails"),
    ("Growing is faster and stabler.", "half true", MINUTES),
    ("Minibatch deviation is best near the end of the discriminator.", "open"),
    ("A VAE-GAN is sharper than a VAE.", "holds"),
    ("Concatenating beats summing, and both together beat either.", "open"),
    ("Gridding hurts, and sawtooth rates cure it.", "holds"),
    ("Large dilation rates hurt small objects.", "holds"),
    ("Centres and scales of boxes need no tuning per data set.", "holds", DETECTORS),
    ("GANs give test data almost no likelihood.", "holds"),
    ("A larger batch trains a GAN better and faster.", "half true"),
    ("Gradient noise is the bottleneck of GANs.", "open"),
)
