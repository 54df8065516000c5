"""The batch of sounds of one channel."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from ganvas.core.sample_unit import SampleUnit
from ganvas.core.shapes import Labels, Waves
from ganvas.losses.game import Batch


@dataclass(frozen=True, kw_only=True)
class Sounds(Batch):
    """Waves of one length in [-1, 1): a sample of 16 bits divided by 32768."""

    unit: ClassVar[SampleUnit] = "sounds"
    waves: Waves
    labels: Labels | None = None  # Class of each, where there are classes.

    @property
    def size(self) -> int:
        """Sounds on this rank."""
        return self.waves.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the sounds are."""
        return self.waves.device
