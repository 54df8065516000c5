"""A generative adversarial network takes a subset of the variation of its data.

Without a penalty some of eight modes are missed.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.ring import MODES
from ganvas.claims.batched.ring_game import SCOPE, RingGame, played
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 1500


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Modes that the generator reaches, or that there are."""
    if arm == "the law":
        return [float(MODES)] * len(seeds)
    return played(RingGame(), seeds, steps).modes()


CLAIM = Experiment(
    statement="A plain adversarial game leaves at least one of eight modes out.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope=f"{SCOPE}, no penalty, batch 64, {STEPS:,} steps",
    arms=("the law", "generator"),
    estimand="modes reached",
    says="more",
    unit="modes",
    smallest_effect=1.0,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
