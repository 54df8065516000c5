"""MS-SSIM tells a set of half of the classes from a whole one.

Two pictures of one class are hardly more alike, pixel by pixel, than pictures of two.
"""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._scene_sets import HALF, PICTURES, SCOPE, similarity

CLAIM = Experiment(
    statement="Pairs of a set of half of the classes are more alike by MS-SSIM than pairs of pictures are.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 5",
            stance="denies",
            link="https://arxiv.org/abs/1710.10196",
        ),
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 4",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
    ),
    scope=SCOPE,
    arms=(HALF, PICTURES),
    estimand="mean MS-SSIM of pairs",
    says="more",
    unit="of 1",
    smallest_effect=0.05,
    seeds=16,
    run=similarity,
    rehearsal=partial(similarity, count=16),
)
