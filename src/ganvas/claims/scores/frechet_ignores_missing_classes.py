"""The Frechet distance ignores classes that a generator leaves out."""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._sets import HALF, OTHERS, SCOPE, frechet

CLAIM = Experiment(
    statement="A set of half of the classes has the Frechet distance that other pictures have.",
    sources=(
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 4",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
        Source(
            who="Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule, appendix A1",
            stance="denies",
            link="https://arxiv.org/abs/1706.08500",
        ),
    ),
    scope=SCOPE,
    arms=(HALF, OTHERS),
    estimand="Frechet distance of features",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.5,
    seeds=8,
    run=frechet,
    rehearsal=partial(frechet, steps=3),
)
