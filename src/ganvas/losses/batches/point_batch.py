"""The batch of points in a space of a few dimensions."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.core.shapes import Labels
from ganvas.losses.game import Batch


@dataclass(frozen=True, kw_only=True)
class Points(Batch):
    """Points as the data gives them, in its own units."""

    unit: ClassVar[SampleUnit] = "points"
    points: Float[Tensor, "n d"]
    labels: Labels | None = None  # The mode that each was drawn from, where the source knows it.

    @property
    def size(self) -> int:
        """Points on this rank."""
        return self.points.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the points are."""
        return self.points.device
