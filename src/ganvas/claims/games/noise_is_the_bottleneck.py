"""Gradient noise is what larger batches take away, and averages take it away as well.

Then the average of a generator that learned from small batches would be as near to the data as that of large ones.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.ring_game import SCOPE, RingGame, played
from ganvas.claims.games._batches import LARGE, PENALTY, SMALL, STEPS
from ganvas.claims.judging.claim import Experiment, Source

BATCHES = {f"batches of {LARGE}": LARGE, f"batches of {SMALL}": SMALL}


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance of the generator's average from the law at the end."""
    return played(RingGame(batch=BATCHES[arm], penalty=PENALTY), seeds, steps).distance(averaged=True)


CLAIM = Experiment(
    statement="The average of a generator of small batches is as near to the data as that of large ones.",
    sources=(
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 5 (as a question)",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
        Source(
            who="Brock, Donahue & Simonyan 2019, Large Scale GAN Training, section 3.1",
            stance="denies",
            link="https://arxiv.org/abs/1809.11096",
        ),
    ),
    scope=f"{SCOPE}, R1 of {PENALTY:g}, averages, {STEPS:,} steps",
    arms=(f"batches of {SMALL}", f"batches of {LARGE}"),
    estimand="sliced distance",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
