"""Averages forgive small batches: at 64 the average of a generator is as near to the data as at 256.

A verdict on batches by the weights of the last step is one on their noise as well, which an average takes away. Both
arms have one here.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.ring_game import SCOPE, RingGame, played
from ganvas.claims.games._batches import LARGE, PENALTY, STEPS
from ganvas.claims.judging.claim import Experiment, Source

LARGER = 4 * LARGE
BATCHES = {f"batches of {LARGE}": LARGE, f"batches of {LARGER}": LARGER}


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance of the generator's average from the law at the end."""
    return played(RingGame(batch=BATCHES[arm], penalty=PENALTY), seeds, steps).distance(averaged=True)


CLAIM = Experiment(
    statement=f"The average of a generator of batches of {LARGE} is as near to the data as that of {LARGER}.",
    sources=(
        Source(
            who="Brock, Donahue & Simonyan 2019, Large Scale GAN Training, section 3.1",
            stance="denies",
            link="https://arxiv.org/abs/1809.11096",
        ),
    ),
    scope=f"{SCOPE}, R1 of {PENALTY:g}, averages, {STEPS:,} steps",
    arms=(f"batches of {LARGER}", f"batches of {LARGE}"),
    estimand="sliced distance",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
    tier="full",
)
