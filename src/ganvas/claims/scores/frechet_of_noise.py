"""A Frechet distance sees noise that was pushed to a high Inception score."""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._sets import OTHERS, PUSHED, SCOPE, frechet

CLAIM = Experiment(
    statement="The Frechet distance of noise pushed to a high Inception score is far above that of pictures.",
    sources=(
        Source(
            who="Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule, appendix A1",
            stance="agrees",
            link="https://arxiv.org/abs/1706.08500",
        ),
    ),
    scope=SCOPE,
    arms=(PUSHED, OTHERS),
    estimand="Frechet distance of features",
    says="more",
    unit="times",
    ratio=True,
    smallest_effect=5.0,
    seeds=8,
    run=frechet,
    rehearsal=partial(frechet, steps=3),
)
