"""MS-SSIM tells a set that repeats a few pictures from a varied one."""

from ganvas.claims.scores._scene_sets import REPEATED, by_similarity
from ganvas.claims.scores._sources import ODENA_OLAH

CLAIM = by_similarity(
    REPEATED,
    statement="Pairs of a set that repeats eight pictures are more alike by MS-SSIM than pairs of pictures are.",
    sources=(ODENA_OLAH(stance="agrees"),),
    seeds=8,
)
