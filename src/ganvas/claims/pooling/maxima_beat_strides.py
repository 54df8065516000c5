"""Pooling by maxima is better than strides: than leaving out three of four places of the convolution before."""

from ganvas.claims.pooling._halving import MAXIMA, SPRINGENBERG, STRIDES, better

CLAIM = better(
    "A classifier that pools by maxima makes fewer errors than one whose convolutions have strides.",
    MAXIMA,
    STRIDES,
    sources=(SPRINGENBERG(stance="agrees"),),
)
