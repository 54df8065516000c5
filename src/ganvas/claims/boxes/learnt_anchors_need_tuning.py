"""Anchors need tuning per data set, also where a detector learns to move them.

Anchors whose sizes were laid out for small boxes overlap larger ones badly (`boxes/fixed_anchors_fit_other_boxes`);
here a detector learns on both data sets how to move them, with every box given to the anchor that overlaps it most.
"""

from ganvas.claims.boxes._detectors import as_many_are_found
from ganvas.claims.judging.claim import Source

CLAIM = as_many_are_found(
    "A detector by anchors finds fewer boxes of twice the size, with the anchors of the smaller ones.",
    "anchors",
    says="less",
    sources=(
        Source(
            who="Liu et al. 2019, High-level Semantic Feature Detection: A New Perspective for Pedestrian Detection",
            stance="agrees",
            link="https://arxiv.org/abs/1904.02948",
        ),
        Source(
            who="Lin et al. 2017, Focal Loss for Dense Object Detection: anchors of one set of sizes",
            stance="denies",
            link="https://arxiv.org/abs/1708.02002",
        ),
    ),
)
