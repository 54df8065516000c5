"""The sliced Wasserstein distance sees that the quarters of a picture have changed places.

It compares patches of 7 x 7 pixels; only those across a border are new, and at the coarsest level many are.
"""

from ganvas.claims.scores._scene_sets import MOVED, by_swd

CLAIM = by_swd(
    MOVED,
    statement="Pictures whose quarters changed places are further by SWD than other pictures are.",
)
