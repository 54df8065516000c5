"""The Inception score falls where a generator repeats one picture of each class.

It knows classes alone: one picture of each is as good as a thousand.
"""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._sets import PICTURES, REPEATED, SCOPE, inception

CLAIM = Experiment(
    statement="A set of one picture of each class has a lower Inception score than pictures have.",
    sources=(
        Source(
            who="Salimans et al. 2016, Improved Techniques for Training GANs, section 4",
            stance="agrees",
            link="https://arxiv.org/abs/1606.03498",
        ),
        Source(
            who="Barratt & Sharma 2018, A Note on the Inception Score",
            stance="denies",
            link="https://arxiv.org/abs/1801.01973",
        ),
    ),
    scope=SCOPE,
    arms=(REPEATED, PICTURES),
    estimand="Inception score",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=inception,
    rehearsal=partial(inception, steps=3),
)
