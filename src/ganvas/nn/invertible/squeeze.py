"""Squeezes: every block of 2x2 pixels becomes one of four times the channels. Volumes stay as they are.

Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP (ICLR 2017), section 3.6,
https://arxiv.org/abs/1605.08803. The plain one puts channel c, row dy and column dx of a block at ``4 c + 2 dy + dx``,
as the authors' code and Glow's do. The ordered one gives each place of a block the channels that follow one another, in
the order (0, 0), (1, 1), (0, 1), (1, 0): its first half is one colour of a checkerboard, its second half the other.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.shapes import PerSample
from ganvas.nn.invertible.bijection import Bijection, no_change

PLACES = ((0, 0), (1, 1), (0, 1), (1, 0))  # Rows and columns of a block, in the ordered squeeze.

Maps = Float[Tensor, "n c h w"]
Squeezed = Float[Tensor, "n c4 h2 w2"]


class Squeeze(Bijection):
    """The plain squeeze."""

    def forward(self, x: Maps) -> tuple[Squeezed, PerSample]:
        return F.pixel_unshuffle(x, 2), no_change(x)

    def inverse(self, y: Squeezed) -> Maps:
        return F.pixel_shuffle(y, 2)


def ordered_squeeze(x: Maps) -> Squeezed:
    """The ordered squeeze; half of its channels are a checkerboard's pixels."""
    return torch.cat([x[..., row::2, column::2] for row, column in PLACES], 1)


def ordered_unsqueeze(y: Squeezed) -> Maps:
    """The way back."""
    n, channels, height, width = y.shape
    x = y.new_empty(n, channels // 4, 2 * height, 2 * width)
    for part, (row, column) in zip(y.chunk(4, 1), PLACES, strict=True):
        x[..., row::2, column::2] = part
    return x
