"""Pooling by maxima is better than pooling by averages."""

from ganvas.claims.judging.claim import Source
from ganvas.claims.pooling._halving import AVERAGES, MAXIMA, better

CLAIM = better(
    "A classifier that pools by maxima makes fewer errors than one that pools by averages.",
    MAXIMA,
    AVERAGES,
    sources=(
        Source(
            who="Scherer, Mueller & Behnke 2010, Evaluation of Pooling Operations in Convolutional Architectures",
            stance="agrees",
            link="https://www.ais.uni-bonn.de/papers/icann2010_maxpool.pdf",
        ),
    ),
)
