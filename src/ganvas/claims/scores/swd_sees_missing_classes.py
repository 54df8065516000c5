"""The sliced Wasserstein distance sees that half of the classes are missing."""

from ganvas.claims.scores._scene_sets import HALF, by_swd

CLAIM = by_swd(
    HALF,
    statement="A set of half of the classes is further by SWD than other pictures are.",
)
