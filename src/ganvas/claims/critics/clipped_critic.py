"""A critic whose weights are clipped settles: twice as many steps change little.

Weights in a box make a critic of bounded slope, whose value is a multiple of the distance and no distance itself.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.critics._two_gaussians import SCOPE, separation
from ganvas.claims.judging.claim import Experiment, Source

STEPS = {"after 500 steps": 500, "after 250 steps": 250}


def run(arm: str, seeds: Sequence[int], *, shortened: int = 1) -> list[float]:
    """The critic's mean on reals less that on fakes, all seeds in one stack."""
    return separation(seeds, STEPS[arm] // shortened, clip=0.05)


CLAIM = Experiment(
    statement="A critic whose weights are clipped settles: twice as many steps change little.",
    sources=(
        Source(
            who="Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1701.07875",
        ),
    ),
    scope=SCOPE,
    arms=("after 500 steps", "after 250 steps"),
    estimand="critic's mean on reals less that on fakes",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.5,
    seeds=12,
    run=run,
    rehearsal=partial(run, shortened=50),
)
