"""MS-SSIM tells a set of half of the classes from a whole one.

Two pictures of one class are hardly more alike, pixel by pixel, than pictures of two.
"""

from ganvas.claims.scores._scene_sets import HALF, by_similarity
from ganvas.claims.scores._sources import KARRAS, ODENA

CLAIM = by_similarity(
    HALF,
    statement="Pairs of a set of half of the classes are more alike by MS-SSIM than pairs of pictures are.",
    sources=(KARRAS(stance="denies"), ODENA(stance="agrees")),
    seeds=16,
)
