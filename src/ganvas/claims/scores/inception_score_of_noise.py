"""A high Inception score does not mean quality: noise can be pushed to what pictures score.

The score sees how sure a classifier is, and a classifier can be made sure of anything.
"""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._sets import PICTURES, PUSHED, SCOPE, inception

CLAIM = Experiment(
    statement="Noise can be pushed to the Inception score that pictures have.",
    sources=(
        Source(
            who="Barratt & Sharma 2018, A Note on the Inception Score",
            stance="agrees",
            link="https://arxiv.org/abs/1801.01973",
        ),
    ),
    scope=SCOPE,
    arms=(PUSHED, PICTURES),
    estimand="Inception score",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=inception,
    rehearsal=partial(inception, steps=3),
)
