"""From B to A and back to B need not restore B: what is restored hangs on a code that is hidden in A.

The code is so fine that a discriminator takes it for the noise of A. Other noise of that size wipes it out. With a
cycle loss of weight 10 the code is coarse enough to see: translations are five times as thick as the line is.
"""

from collections.abc import Sequence
from functools import partial

import torch

from ganvas.claims.batched.stacks import dense, normal
from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.translations._cycle_game import SCOPE, STEPS, THICKNESS, CycleGame, square

TESTED, WEIGHT = 2000, 0.3
NOISY, CLEAN = "noise as thick as the line added", "the translation as it is"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Root mean square distance between points of B and what comes back."""
    game = CycleGame(seeds, weight=WEIGHT, steps=steps)
    with torch.no_grad():
        b = square(game.generators, TESTED)
        a = dense(game.to_a, b)
        if arm == NOISY:
            a = a + THICKNESS * normal(game.generators, TESTED, 2)
        return (game.translated(a) - b).square().sum(-1).mean(1).sqrt().tolist()


CLAIM = Experiment(
    statement="After noise of the data's own thickness on the way, a cycle restores points less well.",
    sources=(
        Source(
            who="Chu, Zhmoginov & Sandler 2017, CycleGAN, a Master of Steganography",
            stance="agrees",
            link="https://arxiv.org/abs/1712.02950",
        ),
    ),
    scope=f"{SCOPE}, cycle loss of weight {WEIGHT:g}",
    arms=(NOISY, CLEAN),
    estimand="distance from what came in",
    says="more",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
