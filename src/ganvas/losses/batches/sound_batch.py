"""The batch of sounds of one channel."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.core.shapes import Labels, Scalar, Waves
from ganvas.losses.game import Batch


@dataclass(frozen=True, kw_only=True)
class Sounds(Batch):
    """Waves of one length in [-1, 1): a sample of 16 bits divided by 32768."""

    unit: ClassVar[SampleUnit] = "sounds"
    waves: Waves
    labels: Labels | None = None  # Class of each, where there are classes.
    shrink: int = 1  # How many times smaller than whole a growing model sees them, along each side, at this stage.
    fade: Scalar | None = None  # Weight of the newest resolution; None when nothing fades.

    @property
    def classes(self) -> Labels:
        """The classes, of a batch that must have them."""
        assert self.labels is not None, "a model with classes is trained on sounds with classes"
        return self.labels

    @property
    def size(self) -> int:
        """Sounds on this rank."""
        return self.waves.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the sounds are."""
        return self.waves.device
