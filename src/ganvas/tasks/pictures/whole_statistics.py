"""Statistics of a whole picture for norms that take them over the picture, while only tiles of it are ever in memory.

Instance norm subtracts a mean over all places. In a tile it would be another mean, and colours would jump from tile to
tile. So the picture is gone through once for each such norm, in their order: the first pass adds up what reaches the
first norm, the second, with its statistics known, what reaches the second, and so on. Sums are of the cores of tiles
alone, merged in float64 (Chan et al. 1979), so the result equals that of the whole picture up to rounding.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.tasks.pictures.tiling import Function, Pixels, Tile, TilePlan, read_tile


class StatisticsTaken(Exception):
    """What reaches the norm in question has been added up; the rest of the pass is not needed."""


@dataclass
class Moments:
    """Count, mean and sum of squared deviations of each channel."""

    count: int
    mean: Tensor
    squares: Tensor

    def add(self, values: Tensor) -> None:
        """Values (1, c, h, w) of another part of the picture."""
        wide = values[0].flatten(1).double()
        count, mean = wide.shape[1], wide.mean(1)
        squares = (wide - mean[:, None]).square().sum(1)
        total = self.count + count
        apart = mean - self.mean
        self.squares += squares + apart.square() * (self.count * count / total)
        self.mean += apart * (count / total)
        self.count = total


class GivenStatistics(nn.Module):
    """An instance norm whose statistics are given, or are just being added up.

    Args:
        norm: Whose place it takes.
    """

    def __init__(self, norm: nn.InstanceNorm2d) -> None:
        super().__init__()
        self.norm, self.eps = norm, norm.eps
        self.moments: Moments | None = None
        self.known = False
        self.passing = False  # While reach is found: nothing is normalised.
        self.tile: Tile | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.passing:
            return x
        if not self.known:
            self._take(x)
            raise StatisticsTaken
        assert self.moments is not None
        mean = self.moments.mean.view(1, -1, 1, 1)
        scale = (self.moments.squares / self.moments.count).view(1, -1, 1, 1).add(self.eps).rsqrt()
        y = (x - mean.to(x.dtype)) * scale.to(x.dtype)
        if self.norm.weight is not None and self.norm.bias is not None:
            return y * self.norm.weight.view(1, -1, 1, 1) + self.norm.bias.view(1, -1, 1, 1)
        return y

    def _take(self, x: Tensor) -> None:
        assert self.tile is not None
        values = self.tile.inside(x)
        if self.moments is None:
            zeros = torch.zeros(values.shape[1], dtype=torch.float64, device=x.device)
            self.moments = Moments(count=0, mean=zeros, squares=zeros.clone())
        self.moments.add(values)


@contextmanager
def statistics_given(network: nn.Module) -> Iterator[list[GivenStatistics]]:
    """The network with every norm over the picture exchanged for one whose statistics are given; put back after."""
    norms = {name: part for name, part in network.named_modules() if isinstance(part, nn.InstanceNorm2d)}
    stands = {name: GivenStatistics(norm) for name, norm in norms.items() if not norm.track_running_stats}
    try:
        for name, stand in stands.items():
            network.set_submodule(name, stand)
        yield list(stands.values())
    finally:
        for name in stands:
            network.set_submodule(name, norms[name])


@torch.no_grad()
def take_statistics(
    function: Function, norms: list[GivenStatistics], pixels: Pixels, plan: TilePlan, *, device: torch.device
) -> None:
    """Goes through the picture once for each norm that the function comes to, in their order.

    Raises:
        UserError: a norm is come to twice, with statistics that differ.
    """
    for norm in norms:
        norm.known, norm.moments = False, None
    for _ in norms:
        taken: set[int] = set()
        for tile in plan:
            for norm in norms:
                norm.tile = tile
            try:
                function(read_tile(pixels, tile, device))
            except StatisticsTaken:
                taken |= {index for index, norm in enumerate(norms) if norm.moments is not None and not norm.known}
            else:
                return
        if len(taken) != 1:
            raise UserError("This model comes to its norms in an order that depends on the picture. Make it smaller.")
        norms[taken.pop()].known = True
