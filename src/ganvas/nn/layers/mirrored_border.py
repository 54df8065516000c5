"""A border of mirrored pixels of any width: the picture goes on as a mirror would show it, as often as it takes.

The border pixel itself is not repeated, as in torch's reflection padding, which stops at the width of the picture.
"""

import torch
from jaxtyping import Shaped
from torch import Tensor


def mirrored_border(
    x: Shaped[Tensor, "n c h w"], *, top: int = 0, bottom: int = 0, left: int = 0, right: int = 0
) -> Shaped[Tensor, "n c h2 w2"]:
    """``x`` with so many more rows and columns.

    >>> mirrored_border(torch.arange(3.0).view(1, 1, 1, 3), left=5).flatten().tolist()
    [1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0]
    """
    if top or bottom:
        x = x.index_select(2, _places(x.shape[2], top, bottom, x.device))
    if left or right:
        x = x.index_select(3, _places(x.shape[3], left, right, x.device))
    return x


def _places(size: int, before: int, after: int, device: torch.device) -> Tensor:
    """Of ``size`` pixels, those that a mirrored line shows."""
    around = torch.arange(-before, size + after, device=device)
    period = max(2 * (size - 1), 1)
    around = around.remainder(period)
    return torch.minimum(around, period - around) if size > 1 else torch.zeros_like(around)
