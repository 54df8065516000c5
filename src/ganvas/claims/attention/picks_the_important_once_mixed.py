"""Attention picks what is important, also where a layer before it has mixed the tokens.

Then every token can carry the answer, and the weights need not fall on the one that it came from.
"""

from ganvas.claims.attention._tokens import largest_weight_matters
from ganvas.claims.judging.claim import Source

CLAIM = largest_weight_matters(
    "tokens that a layer has mixed",
    mixed=True,
    sources=(
        Source(
            who="Wiegreffe & Pinter 2019, Attention is not not Explanation (with conditions)",
            stance="agrees",
            link="https://arxiv.org/abs/1908.04626",
        ),
        Source(
            who="Jain & Wallace 2019, Attention is not Explanation",
            stance="denies",
            link="https://arxiv.org/abs/1902.10186",
        ),
    ),
)
