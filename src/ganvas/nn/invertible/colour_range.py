"""Colours of a flow: from [-1, 1] to the unit range, and by a logit to the whole line."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.pixels import COLOURS, LEVELS_PER_UNIT
from ganvas.core.shapes import Images, PerSample
from ganvas.nn.invertible.bijection import Bijection, no_change, sum_per_sample


class UnitRange(Bijection):
    """``(127.5 (x + 1) + 1/2) / 256 - middle``: whole colour c, at the middle of its bin, becomes ``(c + 1/2) / 256``.

    Pictures with noise within the bins of their colours fill [0, 1] less ``middle``, which is 1/2 in Glow's code.
    """

    def __init__(self, middle: float = 0.0) -> None:
        super().__init__()
        self.middle = middle

    def forward(self, x: Images) -> tuple[Images, PerSample]:
        y = (x + 1) * (LEVELS_PER_UNIT / COLOURS) + (0.5 / COLOURS - self.middle)
        return y, no_change(x) + x[0].numel() * math.log(LEVELS_PER_UNIT / COLOURS)

    def inverse(self, y: Images) -> Images:
        return (y + (self.middle - 0.5 / COLOURS)) * (COLOURS / LEVELS_PER_UNIT) - 1


class Logit(Bijection):
    """``logit(alpha + (1 - 2 alpha) x)`` of colours in [0, 1]: the whole line, without borders (Dinh et al. 2017, 4.1).

    ``log dy/dx = softplus(y) + softplus(-y) + log(1 - 2 alpha)``. A sample with a number beyond :meth:`reach` is none
    that the way back can give: its log-determinant is -inf, so that its density is 0, and that number becomes 0.

    Args:
        alpha: How far colours are kept from 0 and 1; the paper says .05, and its code squeezes them to [.05, .95].
    """

    def __init__(self, alpha: float = 0.05) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> tuple[Tensor, PerSample]:
        inside = self.alpha + (1 - 2 * self.alpha) * x
        beyond = (inside <= 0) | (inside >= 1)
        inside = torch.where(beyond, 0.5, inside)
        y = torch.log(inside) - torch.log1p(-inside)
        log_slopes = F.softplus(y) + F.softplus(-y) + math.log(1 - 2 * self.alpha)
        return y, sum_per_sample(torch.where(beyond, -math.inf, log_slopes))

    def inverse(self, y: Tensor) -> Tensor:
        return (y.sigmoid() - self.alpha) / (1 - 2 * self.alpha)

    def reach(self) -> tuple[float, float]:
        """Between which numbers x has an image, .05 / .9 beyond [0, 1] for an alpha of .05."""
        beyond = self.alpha / (1 - 2 * self.alpha)
        return -beyond, 1 + beyond
