"""A gradient penalty holds a critic at the distance of the two laws.

A critic of slope 1 at most can hold two laws no further apart than Wasserstein's distance, which is 2.83 here. The
penalty asks for slope 1 on the way between them and weighs against the loss, so that the slope comes out larger.
"""

import math
from collections.abc import Sequence
from functools import partial

from ganvas.claims.critics._two_gaussians import GAP, SCOPE, gradient_penalty, separation
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 400
CRITIC, DISTANCE = "critic", "distance"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """What the penalised critic holds the laws apart by, or their distance."""
    if arm == DISTANCE:
        return [GAP * math.sqrt(2)] * len(seeds)
    return separation(seeds, steps, penalty=gradient_penalty)


CLAIM = Experiment(
    statement="A gradient penalty holds a critic at the distance of the two laws.",
    sources=(
        Source(
            who="Gulrajani et al. 2017, Improved Training of Wasserstein GANs, section 4",
            stance="agrees",
            link="https://arxiv.org/abs/1704.00028",
        ),
    ),
    scope=f"{SCOPE}, {STEPS} steps",
    arms=(DISTANCE, CRITIC),
    estimand="mean on reals less that on fakes",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=5),
)
