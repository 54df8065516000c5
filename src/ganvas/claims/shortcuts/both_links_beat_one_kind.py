"""Links of both kinds, concatenating and summing, are better than concatenating ones alone."""

from ganvas.claims.judging.claim import Source
from ganvas.claims.shortcuts._links import BOTH, CONCATENATED, links_are_better

CLAIM = links_are_better(
    "With one link that concatenates and one that sums fewer pixels are named wrongly than with two that concatenate.",
    BOTH,
    CONCATENATED,
    sources=(
        Source(who="Wang et al. 2018, Mixed Link Networks", stance="agrees", link="https://arxiv.org/abs/1802.01808"),
    ),
)
