"""Convolutions in which no pixel sees itself or a later one, whole pictures at a time or pixel by pixel.

Pixels are in the order in which one reads: row by row, from the left. A masked kernel (van den Oord et al. 2016,
https://arxiv.org/abs/1601.06759, figure 2) is the sum of one over rows above and one over the own row so far; as two
convolutions nothing is computed to be masked, and the operations say exactly what is read. :class:`Shown` remembers
what a layer has been given so far, so that one more pixel costs one more pixel, and not a whole picture.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.layers.initialise import filled, normal_, unset

Maps = Float[Tensor, "n c h w"]
OutMaps = Float[Tensor, "n c2 h2 w2"]


class Shown:
    """A layer's input as far as it is known, with zeros around it and where it is not.

    Args:
        size: Height and width of the input.
        above: Rows of zeros above; ``left`` and ``right``: columns beside.
    """

    def __init__(self, size: tuple[int, int], *, above: int = 0, left: int = 0, right: int = 0) -> None:
        self.size, self.above, self.left, self.right = size, above, left, right
        self.values: Tensor | None = None

    def put(self, values: Maps, y: int, x: int = 0) -> None:
        """A part of the input whose first row and column are ``y`` and ``x``."""
        n, channels, height, width = values.shape
        if self.values is None:
            rows, columns = self.size[0] + self.above, self.size[1] + self.left + self.right
            self.values = values.new_zeros(n, channels, rows, columns)
        top, left = y + self.above, x + self.left
        self.values[:, :, top : top + height, left : left + width] = values

    def rows(self, first: int, last: int) -> OutMaps:
        """Whole rows, with the columns of zeros beside them; rows of zeros where nothing was given yet."""
        assert self.values is not None
        return self.values[:, :, first + self.above : last + self.above + 1]

    def patch(self, first: int, last: int, left: int, right: int) -> OutMaps:
        """Rows ``first`` to ``last``, columns ``left`` to ``right``."""
        return self.rows(first, last)[..., left + self.left : right + self.left + 1]


class RowsConv2d(nn.Module):
    """A convolution over some rows above each pixel, as far to the left as to the right; with ``own``, its own row too.

    The own row is for maps that know nothing of it: those of a vertical stack.

    Args:
        reach: Rows above, and columns to either side.
    """

    def __init__(self, in_channels: int, out_channels: int, reach: int, *, own: bool = False) -> None:
        super().__init__()
        self.reach, self.own = reach, own
        self.weight = unset(out_channels, in_channels, reach + own, 2 * reach + 1)
        self.bias = unset(out_channels)

    def reset(self, generator: torch.Generator) -> None:
        """He's normal weights, small biases."""
        _draw(self.weight, self.bias, generator)

    def forward(self, x: Maps) -> OutMaps:
        seen = F.pad(x, (self.reach, self.reach, self.reach, 0))
        return self._of(seen if self.own else seen[:, :, :-1])

    def shown(self, size: tuple[int, int]) -> Shown:
        """Where its input is kept while it is drawn."""
        return Shown(size, above=self.reach, left=self.reach, right=self.reach)

    def row(self, shown: Shown, y: int) -> OutMaps:
        """Row ``y`` of :meth:`forward`, of what was shown."""
        return self._of(shown.rows(y - self.reach, y if self.own else y - 1))

    def _of(self, seen: Maps) -> OutMaps:
        return F.conv2d(seen, filled(self.weight).to(seen.dtype), filled(self.bias).to(seen.dtype))


class LeftConv2d(nn.Module):
    """A convolution over some pixels to the left of each, and over the pixel itself as far as channels are ordered.

    The maps of a pixel are dealt to ``groups`` in equal parts, in order: red, green, blue. A group sees itself and the
    groups before it, or only those before it where ``own`` is "earlier" (mask A of van den Oord et al. 2016).

    Args:
        reach: Pixels to the left; 0 makes it a 1x1 convolution.
        halves: So many equal parts of the outputs are dealt to groups each for itself, as those of a gate.
        bias: Whether there is one; a sum with another layer needs no second.
        std: Of the starting weights; He's where left out.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        reach: int,
        *,
        own: bool = True,
        groups: int = 1,
        halves: int = 1,
        bias: bool = True,
        std: float | None = None,
    ) -> None:
        super().__init__()
        self.reach, self.std = reach, std
        sees_itself = own or groups > 1
        self.width = reach + sees_itself
        self.weight = unset(out_channels, in_channels, 1, self.width)
        self.bias = unset(out_channels) if bias else None
        self.mask: Tensor | None
        self.register_buffer("mask", None, persistent=False)
        if groups > 1:
            before, after = group_of(in_channels, groups), group_of(out_channels // halves, groups).repeat(halves)
            last = after[:, None] >= before if own else after[:, None] > before
            mask = torch.ones(out_channels, in_channels, 1, self.width)
            mask[:, :, 0, -1] = last.to(mask.dtype)
            self.register_buffer("mask", mask, persistent=False)

    def reset(self, generator: torch.Generator) -> None:
        """Normal weights, small biases."""
        _draw(self.weight, self.bias, generator, std=self.std)

    def forward(self, x: Maps) -> OutMaps:
        seen = F.pad(x, (self.reach, 0, 0, 0)) if self.reach else x
        return self._of(seen[..., :-1] if self.width == self.reach else seen)

    def shown(self, size: tuple[int, int]) -> Shown:
        """Where its input is kept while it is drawn."""
        return Shown(size, left=self.reach)

    def pixel(self, shown: Shown, y: int, x: int) -> OutMaps:
        """Pixel (y, x) of :meth:`forward`, of what was shown."""
        return self._of(shown.patch(y, y, x - self.reach, x if self.width > self.reach else x - 1))

    def _of(self, seen: Maps) -> OutMaps:
        weight = filled(self.weight) if self.mask is None else filled(self.weight) * self.mask
        bias = None if self.bias is None else filled(self.bias).to(seen.dtype)
        return F.conv2d(seen, weight.to(seen.dtype), bias)


def group_of(channels: int, groups: int) -> Tensor:
    """The group of each channel, in equal parts.

    >>> group_of(6, 3).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    return torch.arange(channels) * groups // channels


def _draw(
    weight: nn.Parameter, bias: nn.Parameter | None, generator: torch.Generator, *, std: float | None = None
) -> None:
    """Normal weights, He's where no ``std`` is said, and biases of the deviation that torch's own layers have.

    The first pixel sees nothing but zeros: without a bias a ReLU above it would start exactly at its kink.
    """
    fan_in = weight[0].numel()
    normal_(weight, generator, std=math.sqrt(2 / fan_in) if std is None else std)
    if bias is not None:
        normal_(bias, generator, std=math.sqrt(1 / (3 * fan_in)))
