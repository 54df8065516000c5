"""The cost of transport between two batches is that between their laws, whatever the size of the batch.

In a small batch the nearest partner is far away: transport costs something between two batches of one law too.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.distances._transport import BATCHES, SCOPE, plain_cost
from ganvas.claims.judging.claim import Experiment, Source


def run(arm: str, seeds: Sequence[int], *, pairs: int = 512) -> list[float]:
    """Mean over as many samples in both arms."""
    return [plain_cost(BATCHES[arm], seed, pairs) for seed in seeds]


CLAIM = Experiment(
    statement="The cost of transport between batches of two laws does not depend on the size of the batch.",
    sources=(
        Source(
            who="common use of Sinkhorn losses on small batches",
            stance="agrees",
        ),
        Source(
            who="Bellemare et al. 2017, The Cramer Distance as a Solution to Biased Wasserstein Gradients",
            stance="denies",
            link="https://arxiv.org/abs/1705.10743",
        ),
    ),
    scope=SCOPE,
    arms=("batches of 8", "batches of 128"),
    estimand="Sinkhorn cost of one batch of each law",
    says="same",
    unit="cosine",
    smallest_effect=0.05,
    seeds=8,
    run=run,
    rehearsal=partial(run, pairs=128),
)
