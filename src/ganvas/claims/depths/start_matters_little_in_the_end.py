"""With batch norm the size of starting weights hardly matters for what is reached."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 300


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Training loss at the end."""
    start = {"ten times He's start": 10.0, "a tenth of He's start": 0.1}[arm]
    return trained(Net(depth=4, norm=True, start=start), seeds, Training(steps=steps)).train


CLAIM = Experiment(
    statement="With batch norm the size of starting weights hardly matters for what is reached.",
    sources=(
        Source(
            who="Ioffe & Szegedy 2015, Batch Normalization", stance="agrees", link="https://arxiv.org/abs/1502.03167"
        ),
    ),
    scope=f"4 hidden layers with batch norm, {TASK}, {STEPS} steps",
    arms=("ten times He's start", "a tenth of He's start"),
    estimand="training loss at the end",
    says="same",
    unit="nats",
    smallest_effect=0.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
