"""The training error of plain networks rises with depth, with batch norm too.

A deeper network contains every shallower one, so it is training that fails, and neither fit nor room.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Course, Net, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 200


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Training loss at the end."""
    net = Net(depth=int(arm.partition(" ")[0]), norm=True)
    return trained(net, seeds, Course(steps=steps)).train


CLAIM = Experiment(
    statement="The training error of plain networks with batch norm rises with depth.",
    sources=(
        Source(
            who="He et al. 2016, Deep Residual Learning, figure 1",
            stance="agrees",
            link="https://arxiv.org/abs/1512.03385",
        ),
    ),
    scope=f"plain networks of 32 units, {TASK}, {STEPS} steps",
    arms=("40 hidden layers", "6 hidden layers"),
    estimand="training loss at the end",
    says="more",
    unit="nats",
    smallest_effect=0.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
