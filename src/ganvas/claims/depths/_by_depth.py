"""The training error of networks of 6 and of 40 layers with batch norm.

Two claims are made of it, one of plain networks and one of residual ones.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_classes import TASK, WIDTH, Net, Training, trained
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 200
DEEP, SHALLOW = "40 hidden layers", "6 hidden layers"
DEPTHS = {DEEP: 40, SHALLOW: 6}


def training_error_rises(kind: str, *, shortcut: float | None, sources: tuple[Source, ...]) -> Experiment:
    """The claim that the training error of a kind of network rises with depth."""

    def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
        return trained(Net(depth=DEPTHS[arm], norm=True, shortcut=shortcut), seeds, Training(steps=steps)).train

    return Experiment(
        statement=f"The training error of {kind} networks with batch norm rises with depth.",
        sources=sources,
        scope=f"{kind} networks of {WIDTH} units, {TASK}, {STEPS} steps",
        arms=(DEEP, SHALLOW),
        estimand="training loss at the end",
        says="more",
        unit="nats",
        smallest_effect=0.1,
        seeds=8,
        run=run,
        rehearsal=partial(run, steps=3),
    )
