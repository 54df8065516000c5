"""The Inception score falls where a generator leaves classes out."""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._sets import HALF, PICTURES, SCOPE, inception

CLAIM = Experiment(
    statement="A set of half of the classes has a lower Inception score than pictures have.",
    sources=(
        Source(
            who="Salimans et al. 2016, Improved Techniques for Training GANs, section 4",
            stance="agrees",
            link="https://arxiv.org/abs/1606.03498",
        ),
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 4",
            stance="denies",
            link="https://distill.pub/2019/gan-open-problems",
        ),
    ),
    scope=SCOPE,
    arms=(HALF, PICTURES),
    estimand="Inception score",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=inception,
    rehearsal=partial(inception, steps=3),
)
