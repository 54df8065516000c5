"""Centres and scales of boxes need no tuning per data set.

A detector that says of every cell whether a centre lies in it, and how large its box is, has no sizes of boxes among
its settings. With the same settings it learns boxes of two data sets, one twice as large as the other.
"""

from ganvas.claims.boxes._detectors import as_many_are_found
from ganvas.claims.judging.claim import Source

CLAIM = as_many_are_found(
    "A detector by centres and scales finds as many boxes of twice the size, with the settings of the smaller ones.",
    "centres",
    says="same",
    sources=(
        Source(
            who="Liu et al. 2019, High-level Semantic Feature Detection: A New Perspective for Pedestrian Detection",
            stance="agrees",
            link="https://arxiv.org/abs/1904.02948",
        ),
    ),
)
