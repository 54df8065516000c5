"""Masks of two colours like a checkerboard's: pixels of one colour say how those of the other are moved.

Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP (ICLR 2017), section 3.4,
https://arxiv.org/abs/1605.08803.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def checkerboard_mask(
    height: int, width: int, *, first: int, device: torch.device | None = None
) -> Float[Tensor, "1 1 h w"]:
    """Pixels of two colours, 0 and 1, with ``first`` at the top left.

    >>> checkerboard_mask(2, 3, first=1)[0, 0].tolist()
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    colours = torch.arange(height, device=device).view(-1, 1) + torch.arange(width, device=device) + first
    return (colours % 2).float().view(1, 1, height, width)
