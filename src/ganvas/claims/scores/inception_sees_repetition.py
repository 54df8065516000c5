"""The Inception score falls where a generator repeats one picture of each class.

It knows classes alone: one picture of each is as good as a thousand.
"""

from ganvas.claims.scores._sets import REPEATED, by_inception
from ganvas.claims.scores._sources import BARRATT, SALIMANS

CLAIM = by_inception(
    REPEATED,
    statement="A set of one picture of each class has a lower Inception score than pictures have.",
    says="less",
    sources=(SALIMANS(stance="agrees"), BARRATT(stance="denies")),
)
