"""With batch norm the size of starting weights hardly matters for how fast a network learns.

Normalised weights of ten times the size have a gradient of a tenth, so that a step turns them a hundredth as far.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 300


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Mean training loss on the way."""
    start = {"ten times He's start": 10.0, "a tenth of He's start": 0.1}[arm]
    return trained(Net(depth=4, norm=True, start=start), seeds, Training(steps=steps)).on_the_way


CLAIM = Experiment(
    statement="With batch norm the size of starting weights hardly matters for how fast a network learns.",
    sources=(
        Source(
            who="Ioffe & Szegedy 2015, Batch Normalization", stance="agrees", link="https://arxiv.org/abs/1502.03167"
        ),
    ),
    scope=f"4 hidden layers with batch norm, {TASK}, {STEPS} steps",
    arms=("ten times He's start", "a tenth of He's start"),
    estimand="mean training loss over the steps",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
