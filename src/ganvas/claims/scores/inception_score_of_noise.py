"""A high Inception score does not mean quality: noise can be pushed to what pictures score.

The score sees how sure a classifier is, and a classifier can be made sure of anything.
"""

from ganvas.claims.scores._sets import PUSHED, by_inception
from ganvas.claims.scores._sources import BARRATT

CLAIM = by_inception(
    PUSHED,
    statement="Noise can be pushed to the Inception score that pictures have.",
    says="same",
    sources=(BARRATT(stance="agrees"),),
)
