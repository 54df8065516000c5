"""Attention picks what is important.

Where tokens come to the weights as they are, the one of the largest weight is the one that is missed.
"""

from ganvas.claims.attention._tokens import largest_weight_matters
from ganvas.claims.judging.claim import Source

CLAIM = largest_weight_matters(
    "tokens as they are",
    mixed=False,
    sources=(
        Source(
            who="Bahdanau, Cho & Bengio 2015, Neural Machine Translation by Jointly Learning to Align and Translate",
            stance="agrees",
            link="https://arxiv.org/abs/1409.0473",
        ),
    ),
)
