"""From weights of deviation 0.01, the signal dies in ten tanh layers; Xavier's keep most of it.

Near 0 the tanh is the identity, so that each layer of n units multiplies the second moment by n times 0.0001.
"""

from collections.abc import Sequence

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.signals._dense_signal import moments

DEPTH, WIDTH = 10, 256
SMALL, XAVIER = "deviation 0.01", "Xavier"


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """The second moment behind the last layer by that behind the first."""
    deviation = {SMALL: 0.01, XAVIER: WIDTH**-0.5}[arm]
    found = (moments(seed, depth=DEPTH, width=WIDTH, activation="tanh", deviation=deviation) for seed in seeds)
    return [values[-1] / values[0] for values in found]


CLAIM = Experiment(
    statement="From weights of deviation 0.01 far less of a signal comes through ten tanh layers than from Xavier's.",
    sources=(
        Source(
            who="Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
            stance="agrees",
            link="https://proceedings.mlr.press/v9/glorot10a.html",
        ),
    ),
    scope=f"{DEPTH} layers of {WIDTH} units, at the start",
    arms=(SMALL, XAVIER),
    estimand="second moment behind the last layer by that behind the first",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=100.0,
    seeds=8,
    run=run,
)
