"""A Frechet distance sees noise that was pushed to a high Inception score."""

from ganvas.claims.scores._sets import PUSHED, by_frechet
from ganvas.claims.scores._sources import HEUSEL

CLAIM = by_frechet(
    PUSHED,
    statement="The Frechet distance of noise pushed to a high Inception score is far above that of pictures.",
    says="more",
    sources=(HEUSEL(stance="agrees"),),
    smallest_effect=5.0,
)
