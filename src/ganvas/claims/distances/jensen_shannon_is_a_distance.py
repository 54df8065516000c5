"""The Jensen-Shannon divergence is a distance.

It is symmetric and 0 only between equal laws, and it breaks the triangle inequality. Its square root does not
(Endres & Schindelin 2003). So that it is "no distance" is no reason why it should be poor for training.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from ganvas.claims.judging.claim import Case, Identity, Source

Law = Float[np.ndarray, " outcomes"]
TRIPLES = 200


def cases() -> Iterator[Case]:
    """By how much the direct way is longer than the way over a third law, in random triples of sparse laws."""
    for name, power in (("divergence", 1.0), ("root of the divergence", 0.5)):
        for number, (p, q, r) in enumerate(_triples()):
            yield Case(name=f"{name}, triple {number}", error=_excess(p, q, r, power), inside=power == 0.5)


def twin() -> Iterator[Case]:
    """The square of the divergence, which breaks the inequality more often."""
    for number, (p, q, r) in enumerate(_triples()):
        yield Case(name=f"square, triple {number}", error=_excess(p, q, r, 2.0))


def _triples() -> Float[np.ndarray, "triples 3 outcomes"]:
    return np.random.default_rng(5).dirichlet(np.full(3, 0.3), size=(TRIPLES, 3))


def _excess(p: Law, q: Law, r: Law, power: float) -> float:
    return max(0.0, jensen_shannon(p, r) ** power - jensen_shannon(p, q) ** power - jensen_shannon(q, r) ** power)


def jensen_shannon(p: Law, q: Law) -> float:
    """In nats, between 0 and ln 2."""
    middle = (p + q) / 2
    return max(0.0, (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2)


def _relative_entropy(p: Law, q: Law) -> float:
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())


CLAIM = Identity(
    statement="The Jensen-Shannon divergence is a distance.",
    sources=(
        Source(who="a common way of speaking of divergences between laws", stance="agrees"),
        Source(
            who="Endres & Schindelin 2003, A new metric for probability distributions (its root is one)",
            stance="denies",
            link="https://doi.org/10.1109/TIT.2003.813506",
        ),
    ),
    scope=f"{TRIPLES} triples of laws of three outcomes, Dirichlet(0.3)",
    holds_when="its square root is taken",
    unit="nats beyond the triangle",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
