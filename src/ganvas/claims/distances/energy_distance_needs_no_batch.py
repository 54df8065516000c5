"""The minibatch energy distance has one mean whatever the size of the batch.

What transport costs within either law is taken off, and most of the bias with it; what the plan gains by being the
best of its batch is not the same across the laws and within them, and stays.
"""

from ganvas.claims.distances._transport import energy_distance, needs_no_batch
from ganvas.claims.judging.claim import Source

CLAIM = needs_no_batch(
    energy_distance,
    statement="The minibatch energy distance of two laws does not depend on the size of the batch.",
    estimand="minibatch energy distance, by the four costs across that it has",
    sources=(
        Source(
            who="Salimans et al. 2018, Improving GANs Using Optimal Transport, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1803.05573",
        ),
    ),
)
