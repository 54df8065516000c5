"""Tables of what colours alone tell: the floors of models of pairs that need no learning.

A table has a cell for every coarse colour. Of label maps it keeps the commonest class of each colour, of pictures the
mean colour that each became. A network that does no better has learnt nothing of shapes.
"""

import torch
from jaxtyping import Float, Int, Int64, UInt8
from torch import Tensor

CLASS_LEVELS, MEAN_LEVELS = 16, 32  # Of each channel: few pixels of a class must fill a cell, many have a mean.


class ColourClasses:
    """The commonest class of every coarse colour."""

    def __init__(self, channels: int, classes: int) -> None:
        self.classes = classes
        self.counts: Int64[Tensor, "colours k"] = torch.zeros(CLASS_LEVELS**channels, classes, dtype=torch.int64)

    def add(self, pictures: UInt8[Tensor, "n c h w"], truth: Int[Tensor, "n h w"]) -> None:
        """Pictures and the classes of their pixels; those below 0 are not counted."""
        told = truth >= 0
        pairs = _cells(pictures, CLASS_LEVELS)[told] * self.classes + truth[told].long()
        self.counts += torch.bincount(pairs, minlength=self.counts.numel()).view_as(self.counts)

    def named(self, pictures: UInt8[Tensor, "n c h w"]) -> Int64[Tensor, "n h w"]:
        """The class of every pixel by its colour; a colour that was never seen has the commonest class of all."""
        commonest = self.counts.argmax(1)
        commonest[self.counts.sum(1) == 0] = int(self.counts.sum(0).argmax())
        return commonest[_cells(pictures, CLASS_LEVELS)]


class ColourMeans:
    """The mean of what every coarse colour became."""

    def __init__(self, channels: int, other_channels: int) -> None:
        cells = MEAN_LEVELS**channels
        self.counts: Int64[Tensor, " colours"] = torch.zeros(cells, dtype=torch.int64)
        self.sums: Float[Tensor, "colours d"] = torch.zeros(cells, other_channels, dtype=torch.float64)

    def add(self, pictures: UInt8[Tensor, "n c h w"], truth: UInt8[Tensor, "n d h w"]) -> None:
        """Pictures and what they became, of one height and width."""
        cells = _cells(pictures, MEAN_LEVELS).flatten()
        self.counts += torch.bincount(cells, minlength=len(self.counts))
        for channel, sums in enumerate(self.sums.mT):
            sums += torch.bincount(cells, truth[:, channel].flatten().double(), len(sums))

    def painted(self, pictures: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n d h w"]:
        """The mean of every pixel's colour; a colour that was never seen has the mean of all pixels."""
        means = self.sums / self.counts.clamp_min(1)[:, None]
        means[self.counts == 0] = self.sums.sum(0) / self.counts.sum().clamp_min(1)
        return means.round().byte()[_cells(pictures, MEAN_LEVELS)].permute(0, 3, 1, 2).contiguous()


def _cells(pictures: UInt8[Tensor, "n c h w"], levels: int) -> Int64[Tensor, "n h w"]:
    cells = torch.zeros_like(pictures[:, 0], dtype=torch.int64)
    for channel in pictures.unbind(1):
        cells = cells * levels + channel.long() * levels // 256
    return cells
