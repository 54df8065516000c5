"""A discriminator that sees the deviation of its features over the batch makes a generator that varies more."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.ring_game import SCOPE, RingGame, played
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 1500


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Modes that the generator reaches."""
    return played(RingGame(deviation=arm == "deviation seen"), seeds, steps).modes()


CLAIM = Experiment(
    statement="With minibatch deviation a generator reaches more modes.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope=f"{SCOPE}, no penalty, batch 64, {STEPS:,} steps",
    arms=("deviation seen", "none"),
    estimand="modes reached",
    says="more",
    unit="modes",
    smallest_effect=0.5,
    seeds=12,
    run=run,
    rehearsal=partial(run, steps=3),
)
