"""Dropout reduces overfitting of dense layers."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 400
PICTURES = 32


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Share of pictures that it was not trained on whose class it names wrongly."""
    net = Net(depth=2, drop=0.5 if arm == "dropout of a half" else 0.0)
    return trained(net, seeds, Training(steps=steps, lr=0.02, pictures=PICTURES)).misnamed


CLAIM = Experiment(
    statement="A dense network of few pictures misnames fewer others with dropout.",
    sources=(
        Source(
            who="Srivastava et al. 2014, Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
            stance="agrees",
            link="https://jmlr.org/papers/v15/srivastava14a.html",
        ),
    ),
    scope=f"2 hidden layers, {PICTURES} training pictures, {TASK}, {STEPS} steps",
    arms=("dropout of a half", "no dropout"),
    estimand="share of other pictures that are misnamed",
    says="less",
    unit="of all",
    smallest_effect=0.01,
    seeds=12,
    run=run,
    rehearsal=partial(run, steps=3),
)
