"""The Frechet distance ignores classes that a generator leaves out."""

from ganvas.claims.scores._sets import HALF, by_frechet
from ganvas.claims.scores._sources import HEUSEL, ODENA

CLAIM = by_frechet(
    HALF,
    statement="A set of half of the classes has the Frechet distance that other pictures have.",
    says="same",
    sources=(ODENA(stance="agrees"), HEUSEL(stance="denies")),
    smallest_effect=1.5,
)
