"""The sliced Wasserstein distance sees that a few pictures are repeated."""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._scene_sets import OTHERS, REPEATED, SCOPE, sliced

CLAIM = Experiment(
    statement="A set that repeats eight pictures is further by SWD than other pictures are.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 5",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope=SCOPE,
    arms=(REPEATED, OTHERS),
    estimand="sliced Wasserstein distance",
    says="more",
    unit="times",
    ratio=True,
    smallest_effect=1.5,
    seeds=8,
    run=sliced,
    rehearsal=partial(sliced, count=16),
)
