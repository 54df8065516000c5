"""A flow takes 4.3 times the parameters of a progressive GAN.

The one number divides the 200 million of Glow by the 46 million of both players. A discriminator draws nothing: by the
generator alone it is 8.7 times.
"""

from collections.abc import Iterator

from ganvas.claims.judging.claim import Case, Identity, Source

CLAIMED = 4.3
GLOW = 200.0  # In millions, as both of these.
GENERATOR = DISCRIMINATOR = 23.1


def cases() -> Iterator[Case]:
    """By both players, which are trained, and by the generator, which draws."""
    yield Case(name="generator and discriminator", error=_off(GENERATOR + DISCRIMINATOR))
    yield Case(name="the generator alone", error=_off(GENERATOR), inside=False)


def twin() -> Iterator[Case]:
    """The discriminator is counted twice."""
    yield Case(name="one player more", error=_off(GENERATOR + 2 * DISCRIMINATOR))


def _off(parameters: float) -> float:
    return abs(GLOW / parameters / CLAIMED - 1)


CLAIM = Identity(
    statement="A flow takes 4.3 times the parameters of a progressive GAN.",
    sources=(
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 1",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, table 2 (23.1 million of either player)",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope="arithmetic of published counts for faces of 256 (Glow) and 1,024 pixels (progressive GAN)",
    holds_when="the discriminator is counted, which draws nothing",
    cases=cases,
    twin=twin,
    smallest_effect=0.01,
)
