"""A deep network of ReLUs trains better than one of sigmoids.

Each sigmoid multiplies the gradient by a quarter at most, and eight of them leave nothing of it.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 300


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Training loss at the end."""
    net = Net(depth=8, activation="relu" if arm == "ReLU" else "sigmoid")
    return trained(net, seeds, Training(steps=steps, lr=0.01)).train


CLAIM = Experiment(
    statement="A deep network of ReLUs trains better than one of sigmoids.",
    sources=(
        Source(
            who="Glorot, Bordes & Bengio 2011, Deep Sparse Rectifier Neural Networks",
            stance="agrees",
            link="https://proceedings.mlr.press/v15/glorot11a.html",
        ),
    ),
    scope=f"8 hidden layers without a norm, {TASK}, {STEPS} steps",
    arms=("ReLU", "sigmoid"),
    estimand="training loss at the end",
    says="less",
    unit="nats",
    smallest_effect=0.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
