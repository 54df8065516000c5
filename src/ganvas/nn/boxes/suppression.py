"""Non-maximum suppression: of boxes that overlap, the surest stays."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.nn.boxes.overlap import overlaps


def kept_boxes(
    corners: Float[Tensor, "k 4"], scores: Float[Tensor, " k"], *, most_overlap: float
) -> Int[Tensor, " kept"]:
    """The boxes that stay, by falling score: each is dropped that overlaps a surer one that stays by more than so much.

    Of equal scores the earlier one is the surer.
    """
    order = scores.argsort(descending=True, stable=True)
    near = (overlaps(corners[order], corners[order]) > most_overlap).cpu().numpy()
    stays = np.ones(len(order), bool)
    for index in range(len(order)):
        if stays[index]:
            stays[index + 1 :] &= ~near[index, index + 1 :]
    return order[torch.from_numpy(np.flatnonzero(stays)).to(order.device)]
