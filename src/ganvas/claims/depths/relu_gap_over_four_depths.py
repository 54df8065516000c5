"""The deeper a network, the more ReLUs gain over sigmoids, from two hidden layers to eight.

It is the trend over four depths of what `depths/relu_gap_grows` compares at two of them.
"""

from functools import partial

from ganvas.claims.batched.scene_classes import TASK
from ganvas.claims.depths.relu_gap_grows import STEPS, run
from ganvas.claims.judging.claim import Experiment, Source

DEPTHS = (2, 4, 6, 8)

CLAIM = Experiment(
    statement="The deeper a network, the more ReLUs gain over sigmoids, over four depths from two layers to eight.",
    sources=(
        Source(
            who="Glorot, Bordes & Bengio 2011, Deep Sparse Rectifier Neural Networks",
            stance="agrees",
            link="https://proceedings.mlr.press/v15/glorot11a.html",
        ),
    ),
    scope=f"no norm, {TASK}, {STEPS} steps",
    arms=tuple(f"{depth} hidden layers" for depth in DEPTHS),
    doses=DEPTHS,
    estimand="training loss of sigmoids less that of ReLUs",
    says="more",
    unit="nats",
    smallest_effect=0.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
