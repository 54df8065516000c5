"""The batch of lines of text, as numbers of their tokens in an alphabet."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.core.shapes import Tokens
from ganvas.losses.game import Batch


@dataclass(frozen=True, kw_only=True)
class Lines(Batch):
    """Lines of one length; from its end on a shorter one has the number END."""

    unit: ClassVar[SampleUnit] = "lines"
    tokens: Tokens

    @property
    def size(self) -> int:
        """Lines on this rank."""
        return self.tokens.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the lines are."""
        return self.tokens.device
