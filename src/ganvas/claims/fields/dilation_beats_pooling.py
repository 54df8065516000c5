"""Dilation is better than pooling and enlarging where every pixel is to be named."""

from ganvas.claims.fields._dense_output import YU, pixels_named

CLAIM = pixels_named(
    "With rates of 1, 2 and 4 fewer pixels are named wrongly than with two poolings and as many weights.",
    "rates 1, 2, 4",
    "poolings",
    says="less",
    sources=(YU(stance="agrees"),),
)
