"""Pictures that a unit is strongest on, with the part of them that it is active on left bright."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.dissect.agreement.counts import enlarged

SHOWN = 6
DIMMED = 0.3  # Brightness of what is not active.


def strongest(
    maps: Float[Tensor, "n h w"], pictures: UInt8[Tensor, "n c h2 w2"], threshold: float, *, count: int = SHOWN
) -> UInt8[Tensor, "k h2 w2 c"]:
    """The pictures with the unit's largest values, most first; dimmed where it is not above its threshold."""
    best = maps.flatten(1).amax(1).topk(min(count, len(maps))).indices
    shown = pictures[best].permute(0, 2, 3, 1).float()
    grown = enlarged(maps[best][:, None], (pictures.shape[2], pictures.shape[3]))
    bright = (grown[:, 0] > threshold)[..., None]
    return torch.where(bright, shown, shown * DIMMED).round().to(torch.uint8)
