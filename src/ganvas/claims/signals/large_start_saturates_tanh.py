"""From weights of deviation 1, tanh layers saturate; from Xavier's they do not.

Sums of n units have a deviation of about the root of n, where a tanh is at one of its ends.
"""

from collections.abc import Sequence

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.signals._dense_signal import moments

DEPTH, WIDTH = 10, 256
LARGE, XAVIER = "deviation 1", "Xavier"


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """The second moment behind the last layer: 1 where every unit stands at an end."""
    deviation = {LARGE: 1.0, XAVIER: WIDTH**-0.5}[arm]
    found = (moments(seed, depth=DEPTH, width=WIDTH, activation="tanh", deviation=deviation) for seed in seeds)
    return [values[-1] for values in found]


CLAIM = Experiment(
    statement="Tanh layers are nearer to saturation from weights of deviation 1 than from Xavier's.",
    sources=(
        Source(
            who="Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
            stance="agrees",
            link="https://proceedings.mlr.press/v9/glorot10a.html",
        ),
    ),
    scope=f"{DEPTH} layers of {WIDTH} units, at the start",
    arms=(LARGE, XAVIER),
    estimand="second moment behind the last layer, 1 at full saturation",
    says="more",
    unit="of 1",
    smallest_effect=0.5,
    seeds=8,
    run=run,
)
