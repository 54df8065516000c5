"""A flow costs 17.5 times the GPU-days of a progressive GAN.

The one number divides two weeks of forty GPUs by four days of eight. An author of Glow says that it took about a week.
"""

from collections.abc import Iterator

from ganvas.claims.judging.claim import Case, Identity, Source

CLAIMED = 17.5
PROGRESSIVE = 8 * 4  # GPUs by days.
GLOW_GPUS = 40


def cases() -> Iterator[Case]:
    """By the two accounts of how long Glow was trained."""
    yield Case(name="Glow for two weeks", error=_off(14))
    yield Case(name="Glow for one week", error=_off(7), inside=False)


def twin() -> Iterator[Case]:
    """Days by days, without the GPUs."""
    yield Case(name="days alone", error=abs(14 / 4 / CLAIMED - 1))


def _off(days: int) -> float:
    return abs(GLOW_GPUS * days / PROGRESSIVE / CLAIMED - 1)


CLAIM = Identity(
    statement="A flow costs 17.5 times the GPU-days of a progressive GAN.",
    sources=(
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 1",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
        Source(
            who="an author of Glow, in issue 37 of its code (about a week)",
            stance="denies",
            link="https://github.com/openai/glow/issues/37",
        ),
    ),
    scope="arithmetic of published times for faces of 256 (Glow) and 1,024 pixels (progressive GAN)",
    holds_when="Glow was trained for two weeks",
    cases=cases,
    twin=twin,
    smallest_effect=0.01,
)
