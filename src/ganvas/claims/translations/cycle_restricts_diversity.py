"""The cycle loss restricts diversity: what is drawn for one input varies less.

To come back to a point of B, the way through A must lead to that one point, so the latents must have nothing to say.
"""

from collections.abc import Sequence
from functools import partial

import torch

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.translations._cycle_game import SCOPE, STEPS, CycleGame, line

INPUTS, DRAWS = 200, 50
WEIGHTS = {"cycle loss of weight 10": 10.0, "no cycle loss": 0.0}


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Deviation of the translations of one point, over points."""
    game = CycleGame(seeds, weight=WEIGHTS[arm], steps=steps)
    with torch.no_grad():
        a = line(game.generators, INPUTS).repeat_interleave(DRAWS, 1)
        drawn = game.translated(a).unflatten(1, (INPUTS, DRAWS))
        return drawn.var(2).sum(-1).mean(1).sqrt().tolist()


CLAIM = Experiment(
    statement="With a cycle loss the translations of one point vary less.",
    sources=(
        Source(
            who="Almahairi et al. 2018, Augmented CycleGAN",
            stance="agrees",
            link="https://arxiv.org/abs/1802.10151",
        ),
    ),
    scope=SCOPE,
    arms=("cycle loss of weight 10", "no cycle loss"),
    estimand="deviation of the translations of one point",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=2.0,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
