"""Spectral norm bounds a critic: twice as many steps change little.

Every layer's weight is used divided by its largest singular value, so that no layer can stretch a difference.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.critics._two_gaussians import SCOPE, separation
from ganvas.claims.judging.claim import Experiment, Source

STEPS = {"after 400 steps": 400, "after 200 steps": 200}


def run(arm: str, seeds: Sequence[int], *, shortened: int = 1) -> list[float]:
    """The critic's mean on reals less that on fakes, all seeds in one stack."""
    return separation(seeds, STEPS[arm] // shortened, spectral=True)


CLAIM = Experiment(
    statement="A critic under spectral norm settles: twice as many steps change little.",
    sources=(
        Source(
            who="Miyato et al. 2018, Spectral Normalization for Generative Adversarial Networks, section 2.1",
            stance="agrees",
            link="https://arxiv.org/abs/1802.05957",
        ),
    ),
    scope=SCOPE,
    arms=("after 400 steps", "after 200 steps"),
    estimand="critic's mean on reals less that on fakes",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.5,
    seeds=8,
    run=run,
    rehearsal=partial(run, shortened=50),
)
