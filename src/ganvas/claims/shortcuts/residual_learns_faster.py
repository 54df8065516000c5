"""A residual network learns faster than a plain one."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 150


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Mean training loss on the way."""
    net = Net(depth=16, norm=True, shortcut=1.0 if arm == "residual" else None)
    return trained(net, seeds, Training(steps=steps)).on_the_way


CLAIM = Experiment(
    statement="A residual network of 16 layers learns faster than a plain one.",
    sources=(
        Source(
            who="He et al. 2016, Deep Residual Learning, section 4.1",
            stance="agrees",
            link="https://arxiv.org/abs/1512.03385",
        ),
    ),
    scope=f"16 hidden layers with batch norm, {TASK}, {STEPS} steps",
    arms=("residual", "plain"),
    estimand="mean training loss over the steps",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
