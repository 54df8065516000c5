"""MS-SSIM tells a set that repeats a few pictures from a varied one."""

from functools import partial

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._scene_sets import PICTURES, REPEATED, SCOPE, similarity

CLAIM = Experiment(
    statement="Pairs of a set that repeats eight pictures are more alike by MS-SSIM than pairs of pictures are.",
    sources=(
        Source(
            who="Odena, Olah & Shlens 2017, Conditional Image Synthesis with Auxiliary Classifier GANs, section 4.2",
            stance="agrees",
            link="https://arxiv.org/abs/1610.09585",
        ),
    ),
    scope=SCOPE,
    arms=(REPEATED, PICTURES),
    estimand="mean MS-SSIM of pairs",
    says="more",
    unit="of 1",
    smallest_effect=0.05,
    seeds=8,
    run=similarity,
    rehearsal=partial(similarity, count=16),
)
