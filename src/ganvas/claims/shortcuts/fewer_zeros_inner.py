"""ReLUs give zeros less often inside residual blocks than in plain networks.

Batch norm in front of the inner ReLU centres what comes to it, with a shortcut or without.
"""

from collections.abc import Sequence

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.shortcuts._zeros import BLOCKS, CHANNELS, PLAIN, RESIDUAL, zeros


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Share of zeros, the same weights in both arms."""
    return [zeros(arm, seed, "inner") for seed in seeds]


CLAIM = Experiment(
    statement="ReLUs give zeros less often inside residual blocks than in plain networks.",
    sources=(Source(who="a common remark on why linear bottlenecks matter less with shortcuts", stance="agrees"),),
    scope=f"{BLOCKS} blocks of {CHANNELS} channels with batch norm, noise, at the start",
    arms=(RESIDUAL, PLAIN),
    estimand="share of zeros",
    says="less",
    unit="of all",
    smallest_effect=0.02,
    seeds=12,
    run=run,
)
