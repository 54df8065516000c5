"""Weights that are scaled at run time let layers of every width learn at the same speed under plain descent.

The gradient of a stored weight carries the scale once more, so that wide layers move less: the same speed is Adam's
doing as much as the scaling's.
"""

from collections.abc import Sequence

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.speeds._layers import FASTEST, SLOWEST, STEPS, WIDTHS, speed


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Relative change of the layer that moved most or least."""
    return [speed(arm, seed, optimiser="sgd", lr=0.01) for seed in seeds]


CLAIM = Experiment(
    statement="With weights scaled at run time, layers of every width learn at the same speed under plain descent.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 4.1 (of optimisers such as Adam)",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope=f"a ReLU network of widths {WIDTHS}, {STEPS} steps",
    arms=(FASTEST, SLOWEST),
    estimand="relative change of a layer's weight",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.6,
    seeds=8,
    run=run,
)
