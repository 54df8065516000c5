"""Tables of what colours alone tell: the floors of models of pairs that need no learning.

A table has a cell for every coarse colour, 16 levels of each channel. Of label maps it keeps the commonest class of
each colour; a network that names classes no better has learnt nothing of shapes.
"""

import torch
from jaxtyping import Int, Int64, UInt8
from torch import Tensor

LEVELS = 16


class ColourClasses:
    """The commonest class of every coarse colour."""

    def __init__(self, channels: int, classes: int) -> None:
        self.channels, self.classes = channels, classes
        self.counts: Int64[Tensor, "colours k"] = torch.zeros(LEVELS**channels, classes, dtype=torch.int64)

    def add(self, pictures: UInt8[Tensor, "n c h w"], truth: Int[Tensor, "n h w"]) -> None:
        """Pictures and the classes of their pixels; those below 0 are not counted."""
        told = truth >= 0
        pairs = self._cells(pictures)[told] * self.classes + truth[told].long()
        self.counts += torch.bincount(pairs, minlength=self.counts.numel()).view_as(self.counts)

    def named(self, pictures: UInt8[Tensor, "n c h w"]) -> Int64[Tensor, "n h w"]:
        """The class of every pixel by its colour; a colour that was never seen has the commonest class of all."""
        commonest = self.counts.argmax(1)
        commonest[self.counts.sum(1) == 0] = int(self.counts.sum(0).argmax())
        return commonest[self._cells(pictures)]

    def _cells(self, pictures: UInt8[Tensor, "n c h w"]) -> Int64[Tensor, "n h w"]:
        coarse = pictures.long() * LEVELS // 256
        cells = torch.zeros_like(coarse[:, 0])
        for channel in range(self.channels):
            cells = cells * LEVELS + coarse[:, channel]
        return cells
