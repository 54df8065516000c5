"""From He's start, the signal of a deep ReLU network stays as large as it was.

It does so in the mean over draws of weights. Of a single narrow network the logarithm drifts downwards, by a sum of
depth over width, and the mean is kept by rare networks whose signal is large (Hanin & Nica 2020).
"""

from collections.abc import Sequence

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.signals._dense_signal import moments

DEPTH, WIDTH = 50, 32
LAST, FIRST = "last layer", "first layer"


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """The second moment behind a layer; both arms are one network."""
    layer = {LAST: -1, FIRST: 0}[arm]
    deviation = (2 / WIDTH) ** 0.5
    return [moments(seed, depth=DEPTH, width=WIDTH, activation="relu", deviation=deviation)[layer] for seed in seeds]


CLAIM = Experiment(
    statement="From He's start, the signal of a single deep ReLU network stays as large as it was.",
    sources=(
        Source(
            who="He et al. 2015, Delving Deep into Rectifiers, section 2.2 (of the variance over weights)",
            stance="agrees",
            link="https://arxiv.org/abs/1502.01852",
        ),
        Source(
            who="Hanin & Nica 2020, Products of many large random matrices and gradients in deep neural networks",
            stance="denies",
            link="https://arxiv.org/abs/1812.05994",
        ),
    ),
    scope=f"{DEPTH} layers of {WIDTH} units, at the start",
    arms=(LAST, FIRST),
    estimand="second moment behind the layer",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=2.0,
    seeds=24,
    run=run,
)
