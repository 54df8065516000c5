"""The deeper a network, the more ReLUs gain over sigmoids."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 300


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Training loss of sigmoids at the end less that of ReLUs."""
    depth, training = int(arm.partition(" ")[0]), Training(steps=steps, lr=0.01)
    by_sigmoid = trained(Net(depth=depth, activation="sigmoid"), seeds, training).train
    by_relu = trained(Net(depth=depth), seeds, training).train
    return [one - other for one, other in zip(by_sigmoid, by_relu, strict=True)]


CLAIM = Experiment(
    statement="The deeper a network, the more ReLUs gain over sigmoids.",
    sources=(
        Source(
            who="Glorot, Bordes & Bengio 2011, Deep Sparse Rectifier Neural Networks",
            stance="agrees",
            link="https://proceedings.mlr.press/v15/glorot11a.html",
        ),
    ),
    scope=f"no norm, {TASK}, {STEPS} steps",
    arms=("8 hidden layers", "2 hidden layers"),
    estimand="training loss of sigmoids less that of ReLUs",
    says="more",
    unit="nats",
    smallest_effect=0.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
