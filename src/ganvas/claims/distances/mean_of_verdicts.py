"""The distance of two sets is a mean of the discriminator's verdicts on single samples.

At the best discriminator the mean verdict is twice the Jensen-Shannon divergence less log 4 (Goodfellow et al. 2014,
theorem 1). At any other it is less, and says as much of the discriminator as of the sets.
"""

import math
from collections.abc import Iterator

import numpy as np

from ganvas.claims.distances.jensen_shannon_is_a_distance import jensen_shannon
from ganvas.claims.judging.claim import Case, Identity, Source

LAWS, PLACES = 20, 8
Law = np.ndarray


def cases() -> Iterator[Case]:
    """Pairs of random laws, with the best discriminator and with one that is half as sure."""
    for number, (p, q) in enumerate(_laws()):
        sure = np.log(p / q)
        yield Case(name=f"best discriminator, pair {number}", error=_error(p, q, sure))
        yield Case(name=f"half as sure, pair {number}", error=_error(p, q, sure / 2), inside=False)


def twin() -> Iterator[Case]:
    """A discriminator that says nothing."""
    p, q = _laws()[0]
    yield Case(name="no verdict", error=_error(p, q, np.zeros(PLACES)))


def _laws() -> list[tuple[Law, Law]]:
    drawn = np.random.default_rng(0).dirichlet(np.full(PLACES, 0.5), size=(LAWS, 2)) + 1e-9
    return [(p / p.sum(), q / q.sum()) for p, q in drawn]


def _error(p: Law, q: Law, logits: np.ndarray) -> float:
    """Mean verdicts ``E_p log D + E_q log(1 - D)`` against the divergence that they are to be."""
    verdicts = -(p * np.logaddexp(0, -logits) + q * np.logaddexp(0, logits)).sum()
    return abs(verdicts - (2 * jensen_shannon(p, q) - math.log(4)))


CLAIM = Identity(
    statement="The distance of two sets is a mean of the discriminator's verdicts on single samples.",
    sources=(
        Source(
            who="Goodfellow et al. 2014, Generative Adversarial Nets, theorem 1",
            stance="agrees",
            link="https://arxiv.org/abs/1406.2661",
        ),
    ),
    scope=f"{LAWS} pairs of laws on {PLACES} places",
    unit="nats",
    holds_when="the discriminator is the best there is",
    cases=cases,
    twin=twin,
    smallest_effect=1e-7,
)
