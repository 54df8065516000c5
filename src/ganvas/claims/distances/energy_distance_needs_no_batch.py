"""The minibatch energy distance has one mean whatever the size of the batch.

What transport costs within either law is taken off, and most of the bias with it; what the plan gains by being the
best of its batch is not the same across the laws and within them, and stays.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.distances._transport import BATCHES, SCOPE, energy_distance
from ganvas.claims.judging.claim import Experiment, Source


def run(arm: str, seeds: Sequence[int], *, pairs: int = 512) -> list[float]:
    """Mean over as many samples in both arms."""
    return [energy_distance(BATCHES[arm], seed, pairs) for seed in seeds]


CLAIM = Experiment(
    statement="The minibatch energy distance of two laws does not depend on the size of the batch.",
    sources=(
        Source(
            who="Salimans et al. 2018, Improving GANs Using Optimal Transport, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1803.05573",
        ),
    ),
    scope=SCOPE,
    arms=("batches of 8", "batches of 128"),
    estimand="minibatch energy distance, by the four costs across that it has",
    says="same",
    unit="cosine",
    smallest_effect=0.05,
    seeds=8,
    run=run,
    rehearsal=partial(run, pairs=128),
)
