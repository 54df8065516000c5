"""Pooling by maxima is better than a convolution with strides in its place."""

from ganvas.claims.pooling._halving import ADDED, MAXIMA, SPRINGENBERG, better

CLAIM = better(
    "A classifier that pools by maxima makes fewer errors than one with a convolution with strides in its place.",
    MAXIMA,
    ADDED,
    sources=(SPRINGENBERG(stance="denies"),),
)
