"""Batch norm helps by removing the shift of what comes to a layer.

Then shifts and scales that are drawn anew on every step and put behind the norm would undo what it gives.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 300


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Training loss at the end, without the shifts."""
    shifted = arm != "no norm"
    net = Net(depth=8, activation="sigmoid", norm=shifted, shift=0.5 if shifted else 0.0)
    return trained(net, seeds, Training(steps=steps)).train


CLAIM = Experiment(
    statement="Batch norm with random shifts behind it trains no better than no norm.",
    sources=(
        Source(
            who="Ioffe & Szegedy 2015, Batch Normalization", stance="agrees", link="https://arxiv.org/abs/1502.03167"
        ),
        Source(
            who="Santurkar et al. 2018, How Does Batch Normalization Help Optimization?",
            stance="denies",
            link="https://arxiv.org/abs/1805.11604",
        ),
    ),
    scope=f"8 hidden layers of sigmoids, shifts of half a deviation, {TASK}, {STEPS} steps",
    arms=("batch norm, shifts behind it", "no norm"),
    estimand="training loss at the end",
    says="same",
    unit="nats",
    smallest_effect=0.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
