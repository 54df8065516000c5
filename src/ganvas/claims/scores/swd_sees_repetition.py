"""The sliced Wasserstein distance sees that a few pictures are repeated."""

from ganvas.claims.scores._scene_sets import REPEATED, by_swd

CLAIM = by_swd(
    REPEATED,
    statement="A set that repeats eight pictures is further by SWD than other pictures are.",
)
