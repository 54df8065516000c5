"""Names of the laws by which holes are cut into pictures; :mod:`ganvas.data.holes.hole_laws` draws them."""

from typing import Literal

HoleLaw = Literal["free-form", "deepfill", "strokes", "rectangles"]
