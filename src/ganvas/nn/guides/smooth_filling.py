"""Smooth filling of a batch: holes are continued from their rims in a fixed number of cheap steps.

Nearly the harmonic filling, in which every pixel of a hole is the mean of its neighbours, by the first half of a full
multigrid (Brandt 1977, https://doi.org/10.1090/S0025-5718-1977-0431719-X): pictures of half the size are filled first,
and their filling, doubled, is where the sweeps of this size begin. Every step is linear in the pictures and the same
for all of a batch, so it runs inside of a network; :mod:`ganvas.data.holes.harmonic` solves one picture to a tolerance.
"""

import torch.nn.functional as F
from torch import Tensor

from ganvas.core.shapes import Images, Masks

SWEEPS = 16  # Of each size: on free-form holes of 32 pixels the error is then 2 % above that of the harmonic filling.
TINY = 1e-6  # Where nothing of a picture is known, its filling is 0, the middle grey.


def smooth_filling(images: Images, mask: Masks, *, sweeps: int = SWEEPS) -> Images:
    """The pictures with their holes continued from the rims, (n, c, h, w); what lies under a hole is not looked at.

    Args:
        mask: (n, 1, h, w), 1 where a picture is known and 0 in its hole.
        sweeps: Means of the four neighbours that are taken at each size.
    """
    known = images.where(mask > 0, 0.0)
    levels = [(known, mask)]
    while max(known.shape[-2:]) > 1:
        known, mask = _halved(known), _halved(mask)
        levels.append((known, mask))
    filled = known / mask.clamp_min(TINY)
    for known, mask in reversed(levels[:-1]):
        start = F.interpolate(filled, size=known.shape[-2:], mode="bilinear", align_corners=False)
        filled = known + (1 - mask) * start
        for _ in range(sweeps):
            filled = known + (1 - mask) * _neighbours_mean(filled)
    return filled


def _halved(x: Tensor) -> Tensor:
    """Means of two by two pixels, of fewer at an odd border: of a mask, the share that is known."""
    return F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


def _neighbours_mean(x: Tensor) -> Tensor:
    """The mean of the four neighbours; beyond the border the picture goes on as it ended."""
    wide = F.pad(x, (1, 1, 1, 1), mode="replicate")
    across = wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:]
    return (across + wide[..., :-2, 1:-1] + wide[..., 2:, 1:-1]) / 4
