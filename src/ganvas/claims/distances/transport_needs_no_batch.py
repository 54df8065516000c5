"""The cost of transport between two batches is that between their laws, whatever the size of the batch.

In a small batch the nearest partner is far away: transport costs something between two batches of one law too.
"""

from ganvas.claims.distances._transport import needs_no_batch, plain_cost
from ganvas.claims.judging.claim import Source

CLAIM = needs_no_batch(
    plain_cost,
    statement="The cost of transport between batches of two laws does not depend on the size of the batch.",
    estimand="Sinkhorn cost of one batch of each law",
    sources=(
        Source(who="common use of Sinkhorn losses on small batches", stance="agrees"),
        Source(
            who="Bellemare et al. 2017, The Cramer Distance as a Solution to Biased Wasserstein Gradients",
            stance="denies",
            link="https://arxiv.org/abs/1705.10743",
        ),
    ),
)
