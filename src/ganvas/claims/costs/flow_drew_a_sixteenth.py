"""The flow that was compared with a progressive GAN drew a sixteenth of its pixels.

It compares areas. Of sides it is a quarter, and of what a convolution costs, which is counted by area, a sixteenth.
"""

from collections.abc import Iterator

from ganvas.claims.judging.claim import Case, Identity, Source

CLAIMED = 1 / 16
GLOW, PROGRESSIVE = 256, 1024  # Sides of their faces.


def cases() -> Iterator[Case]:
    """Pixels of a face, and numbers of it in three colours."""
    yield Case(name="pixels", error=abs(GLOW**2 / PROGRESSIVE**2 / CLAIMED - 1))
    yield Case(name="numbers in three colours", error=abs(3 * GLOW**2 / (3 * PROGRESSIVE**2) / CLAIMED - 1))


def twin() -> Iterator[Case]:
    """Sides by sides."""
    yield Case(name="sides", error=abs(GLOW / PROGRESSIVE / CLAIMED - 1))


CLAIM = Identity(
    statement="The flow that was compared with a progressive GAN drew a sixteenth of its pixels.",
    sources=(
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 1",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
    ),
    scope="faces of 256 by 256 (Glow) and of 1,024 by 1,024 pixels (progressive GAN)",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
