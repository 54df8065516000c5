"""A residual branch computes more redundant maps than a plain layer does."""

from collections.abc import Sequence

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.shortcuts._zeros import BLOCKS, CHANNELS, PLAIN, RESIDUAL, dimensions


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Dimensions that the maps in front of the inner ReLU fill, the same weights in both arms."""
    return [dimensions(arm, seed) for seed in seeds]


CLAIM = Experiment(
    statement="The maps of a residual branch fill fewer dimensions than those of a plain network.",
    sources=(Source(who="a common remark on why a ReLU does less harm in a residual branch", stance="agrees"),),
    scope=f"{BLOCKS} blocks of {CHANNELS} channels with batch norm, noise, at the start",
    arms=(RESIDUAL, PLAIN),
    estimand="participation ratio of channels",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=12,
    run=run,
)
