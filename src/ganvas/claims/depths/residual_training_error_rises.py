"""The training error of residual networks rises with depth."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Course, Net, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 200


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Training loss at the end."""
    net = Net(depth=int(arm.partition(" ")[0]), norm=True, shortcut=1.0)
    return trained(net, seeds, Course(steps=steps)).train


CLAIM = Experiment(
    statement="The training error of residual networks with batch norm rises with depth.",
    sources=(
        Source(
            who="He et al. 2016, Deep Residual Learning, figure 4",
            stance="denies",
            link="https://arxiv.org/abs/1512.03385",
        ),
        Source(who="common remarks that depth as such makes training hard", stance="agrees"),
    ),
    scope=f"residual networks of 32 units, {TASK}, {STEPS} steps",
    arms=("40 hidden layers", "6 hidden layers"),
    estimand="training loss at the end",
    says="more",
    unit="nats",
    smallest_effect=0.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
