"""The identity is the right shortcut, not half of it.

Of half shortcuts 2^-20 of the input is left behind twenty blocks.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 150


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Mean training loss on the way."""
    net = Net(depth=40, norm=True, shortcut=1.0 if arm == "identity" else 0.5)
    return trained(net, seeds, Training(steps=steps)).on_the_way


CLAIM = Experiment(
    statement="Shortcuts by the identity train better than shortcuts by half of it.",
    sources=(
        Source(
            who="He et al. 2016, Identity Mappings in Deep Residual Networks, section 3.1",
            stance="agrees",
            link="https://arxiv.org/abs/1603.05027",
        ),
    ),
    scope=f"20 blocks of two layers with batch norm, {TASK}, {STEPS} steps",
    arms=("identity", "half of it"),
    estimand="mean training loss over the steps",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
