"""From what is where in a picture to how much of it there is: rows for the Fréchet segmentation distance.

Bau et al. 2019, Seeing What a GAN Cannot Generate, section 3.1, https://arxiv.org/abs/1910.11626: a picture is
segmented into classes, and its row is the area of each class, in per cent of the picture.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.errors import UserError


def area_shares(labels: Int[Tensor, "n h w"], classes: int) -> Float[Tensor, "n k"]:
    """Per picture, the per cent of its pixels that have each label ``0 ... classes - 1``.

    >>> area_shares(torch.tensor([[[0, 0], [0, 2]]]), 3)
    tensor([[75.,  0., 25.]])
    """
    flat = labels.flatten(1).long()
    if flat.numel() and (int(flat.min()) < 0 or int(flat.max()) >= classes):
        raise UserError(
            f"A labeller gave the label {int(flat.max() if flat.max() >= classes else flat.min())}, and its labels are "
            f'0 to {classes - 1}. Say how many there are as "classes" in its description.'
        )
    counts = torch.zeros(len(flat), classes, dtype=torch.float64, device=flat.device)
    counts.scatter_add_(1, flat, torch.ones_like(flat, dtype=torch.float64))
    return (100 * counts / max(flat.shape[1], 1)).float()
