"""The sliced Wasserstein distance sees that the quarters of a picture have changed places.

It compares patches of 7 x 7 pixels; only those across a border are new, and at the coarsest level many are.
"""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._scene_sets import MOVED, OTHERS, SCOPE, sliced

CLAIM = Experiment(
    statement="Pictures whose quarters changed places are further by SWD than other pictures are.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 5",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope=SCOPE,
    arms=(MOVED, OTHERS),
    estimand="sliced Wasserstein distance",
    says="more",
    unit="times",
    ratio=True,
    smallest_effect=1.5,
    seeds=8,
    run=sliced,
    rehearsal=partial(sliced, count=16),
)
