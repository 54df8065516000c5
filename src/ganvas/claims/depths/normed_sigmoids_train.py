"""With batch norm a deep network of sigmoids trains as well as one of ReLUs.

Normalised, no sigmoid stands where it is flat; so it is not the sigmoid alone that keeps deep networks from training.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 300


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Training loss at the end."""
    net = Net(depth=8, activation="relu" if arm == "ReLU" else "sigmoid", norm=True)
    return trained(net, seeds, Training(steps=steps)).train


CLAIM = Experiment(
    statement="With batch norm a deep network of sigmoids trains as well as one of ReLUs.",
    sources=(
        Source(
            who="Ioffe & Szegedy 2015, Batch Normalization", stance="agrees", link="https://arxiv.org/abs/1502.03167"
        ),
    ),
    scope=f"8 hidden layers with batch norm, {TASK}, {STEPS} steps",
    arms=("sigmoid", "ReLU"),
    estimand="training loss at the end",
    says="same",
    unit="nats",
    smallest_effect=0.05,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
