"""Gridding hurts: layers of one rate after another, which leave holes in their field, name more pixels wrongly."""

from ganvas.claims.fields._dense_output import WANG, pixels_named

CLAIM = pixels_named(
    "With rates of 2, 2 and 2 more pixels are named wrongly than with 1, 2 and 3, whose field is as wide.",
    "rates 2, 2, 2",
    "rates 1, 2, 3",
    says="more",
    sources=(WANG(stance="agrees"),),
)
