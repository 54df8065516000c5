"""The Frechet distance ignores diversity: one picture of each class, again and again, is as near as others are."""

from ganvas.claims.scores._sets import REPEATED, by_frechet
from ganvas.claims.scores._sources import HEUSEL, ODENA

CLAIM = by_frechet(
    REPEATED,
    statement="A set of one picture of each class has the Frechet distance that other pictures have.",
    says="same",
    sources=(ODENA(stance="agrees"), HEUSEL(stance="denies")),
    smallest_effect=1.5,
)
