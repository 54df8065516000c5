"""A discriminator that also sees fakes of the past makes a better generator.

The past keeps a discriminator from forgetting; it also has it judge what the generator no longer does. What averages
of weights are worth is another claim.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.ring_game import SCOPE, RingGame, played
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 1200


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance of the generator from the law at the end."""
    return played(RingGame(pooled=0.5 if arm == "half of the fakes from the past" else 0.0), seeds, steps).distance()


CLAIM = Experiment(
    statement="Against fakes of its past a generator comes nearer to the data.",
    sources=(
        Source(
            who="Shrivastava et al. 2017, Learning from Simulated and Unsupervised Images, section 2.3",
            stance="agrees",
            link="https://arxiv.org/abs/1612.07828",
        ),
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 5",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
    ),
    scope=f"{SCOPE}, no penalty, batch 64, half of the fakes from one of the last 50 batches, {STEPS:,} steps",
    arms=("half of the fakes from the past", "fakes of the present"),
    estimand="sliced distance",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
