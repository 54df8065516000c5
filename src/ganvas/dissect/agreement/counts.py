"""Counts of the pixels on which a unit is active and a label lies, per picture: all that scores of agreement need.

A unit's map is enlarged to the labels' grid bilinearly, as ``F.interpolate(align_corners=False)`` does. (The first
release of GAN dissection sampled it with ``grid_sample`` at the other convention, which current torch reads
differently.) Its threshold at a level q is the value that a share q of its enlarged pixels, over all pictures, exceeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Integer, Shaped
from torch import Tensor

from ganvas.dissect.instrument import Maps

Values = Float[Tensor, "n units pixels"]
PixelLabels = Integer[Tensor, "n pixels"]

GRID = 16  # Rows and columns, at the most, of the pixels that are counted.


@dataclass(frozen=True, kw_only=True)
class PixelGrid:
    """The pixels of a picture that are counted: every ``step``-th of every ``step``-th row.

    Neighbouring pixels say the same, so what is lost is little: pictures are what a standard error is taken over.
    """

    size: tuple[int, int]  # Of a picture.
    step: int = 1

    @classmethod
    def of(cls, size: tuple[int, int]) -> "PixelGrid":
        """The usual one of pictures of a size."""
        return cls(size=size, step=-(-max(size) // GRID))

    def pixels(self, pictures: Shaped[Tensor, "*n rows columns"]) -> Shaped[Tensor, "*n pixels"]:
        """The counted pixels of full-size pictures or masks."""
        first = self.step // 2
        return pictures[..., first :: self.step, first :: self.step].flatten(-2)

    def values(self, maps: Maps) -> Float[Tensor, "n units pixels"]:
        """The maps' values, enlarged to the pictures' size, at the counted pixels."""
        parts = [self.pixels(enlarged(maps[:, unit : unit + 1], self.size)) for unit in range(maps.shape[1])]
        return torch.cat(parts, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """Pixels per picture, unit, level and label.

    Attributes:
        both: Pixels above the unit's threshold that have the label.
        active: Pixels above the threshold.
        labelled: Pixels that have the label.
        pixels: Of one picture.
    """

    both: Int[Tensor, "n units levels labels"]
    active: Int[Tensor, "n units levels"]
    labelled: Int[Tensor, "n labels"]
    pixels: int

    def at(self, level: int) -> "Counts":
        """The counts at one level alone."""
        here = slice(level, level + 1)
        return replace(self, both=self.both[:, :, here], active=self.active[:, :, here])

    def of(self, pictures: slice | Tensor) -> "Counts":
        """The counts of some of the pictures."""
        return replace(self, both=self.both[pictures], active=self.active[pictures], labelled=self.labelled[pictures])


def enlarged(maps: Maps, size: tuple[int, int]) -> Float[Tensor, "n units h2 w2"]:
    """The maps at the labels' size."""
    if tuple(maps.shape[2:]) == size:
        return maps
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False)


def thresholds(values: Values, levels: Sequence[float]) -> Float[Tensor, "units levels"]:
    """For each unit and level q, the value that a share q of its pixels exceeds; exact."""
    found = []
    for unit in range(values.shape[1]):
        each = values[:, unit].flatten().numpy()
        ranks = [min(max(round((1 - level) * each.size) - 1, 0), each.size - 1) for level in levels]
        found.append(np.partition(each, sorted(set(ranks)))[ranks])
    return torch.from_numpy(np.stack(found))


def counted(values: Values, masks: PixelLabels, labels: int, at: Float[Tensor, "units levels"]) -> Counts:
    """Counts of the units' pixels against the labels, at the units' thresholds."""
    n, pixels = masks.shape
    units, levels = at.shape
    rising, order = at.sort(1)
    cells = (levels + 1) * labels
    rows = torch.arange(n)[:, None] * cells + masks.long()
    both = torch.empty(n, units, levels, labels, dtype=torch.int32)
    for unit in range(units):
        above = torch.bucketize(values[:, unit].contiguous(), rising[unit].contiguous())  # Thresholds exceeded.
        table = torch.bincount((rows + above * labels).flatten(), minlength=n * cells).view(n, levels + 1, labels)
        exceeding = table.flip(1).cumsum(1).flip(1)[:, 1:]  # Of the thresholds from the lowest.
        both[:, unit, order[unit]] = exceeding.int()
    labelled = F.one_hot(masks.long(), labels).sum(1).int()
    return Counts(both=both, active=both.sum(3).int(), labelled=labelled, pixels=pixels)
