"""A ReLU collapses a spiral of a plane in two dimensions, and not in thirty.

Thirty directions leave two active ones at nearly every point, so that a linear map brings the spiral back.
"""

from collections.abc import Sequence

from ganvas.anatomy.signal.relu_collapse import collapse
from ganvas.claims.judging.claim import Experiment, Source

DIMENSIONS = {"30 dimensions": 30, "2 dimensions": 2}
DRAWS = 30


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Median relative error of the best linear way back."""
    return [collapse([DIMENSIONS[arm]], draws=DRAWS, seed=seed)[0].best_linear.median for seed in seeds]


CLAIM = Experiment(
    statement="A ReLU loses less of a spiral in 30 dimensions than in 2.",
    sources=(
        Source(
            who="Sandler et al. 2018, MobileNetV2, section 3.2 and figure 1",
            stance="agrees",
            link="https://arxiv.org/abs/1801.04381",
        ),
    ),
    scope=f"a spiral of two turns, {DRAWS} random matrices to a seed, the best linear decoder",
    arms=("30 dimensions", "2 dimensions"),
    estimand="relative error",
    says="less",
    unit="of 1",
    smallest_effect=0.1,
    seeds=8,
    run=run,
)
