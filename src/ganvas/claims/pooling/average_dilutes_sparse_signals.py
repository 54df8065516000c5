"""Average pooling dilutes what stands at one place, and maximum pooling does not."""

from collections.abc import Sequence

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.pooling._signals import AVERAGE, MAXIMUM, SCOPE, missed


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Share of pairs that pooling puts in the wrong order."""
    return [missed(arm, seed, sparse=True) for seed in seeds]


CLAIM = Experiment(
    statement="Of a signal at one place an average misses more than a maximum.",
    sources=(
        Source(
            who="Boureau, Ponce & LeCun 2010, A Theoretical Analysis of Feature Pooling, section 2",
            stance="agrees",
            link="https://www.di.ens.fr/willow/pdfs/icml2010b.pdf",
        ),
        Source(who="a common reason for maxima", stance="agrees"),
    ),
    scope=f"{SCOPE}, a signal of 4 deviations at one of them",
    arms=(AVERAGE, MAXIMUM),
    estimand="share of pairs in the wrong order",
    says="more",
    unit="of all",
    smallest_effect=0.05,
    seeds=12,
    run=run,
)
