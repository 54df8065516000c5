"""The Inception score falls where a generator leaves classes out."""

from ganvas.claims.scores._sets import HALF, by_inception
from ganvas.claims.scores._sources import ODENA, SALIMANS

CLAIM = by_inception(
    HALF,
    statement="A set of half of the classes has a lower Inception score than pictures have.",
    says="less",
    sources=(SALIMANS(stance="agrees"), ODENA(stance="denies")),
)
