"""Overlapping pooling is better than pooling of 2 by 2."""

from ganvas.claims.judging.claim import Source
from ganvas.claims.pooling._halving import MAXIMA, OVERLAPPING, better

CLAIM = better(
    "A classifier whose poolings overlap makes fewer errors than one whose poolings do not.",
    OVERLAPPING,
    MAXIMA,
    sources=(
        Source(
            who="Krizhevsky, Sutskever & Hinton 2012, ImageNet Classification with Deep Networks, section 3.4",
            stance="agrees",
            link="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
        ),
        Source(
            who="Scherer, Mueller & Behnke 2010, Evaluation of Pooling Operations in Convolutional Architectures",
            stance="denies",
            link="https://www.ais.uni-bonn.de/papers/icann2010_maxpool.pdf",
        ),
    ),
)
