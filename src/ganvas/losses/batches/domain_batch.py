"""The batch of two unpaired domains: pictures of one kind and pictures of another, each in an order of its own."""

from dataclasses import dataclass

import torch

from ganvas.core.shapes import Images, OtherImages
from ganvas.losses.game import Batch


@dataclass(frozen=True, kw_only=True)
class Domains(Batch):
    """Equally many pictures in [-1, 1] of both domains; sizes and channels may differ."""

    a: Images
    b: OtherImages

    @property
    def size(self) -> int:
        """Pictures of each domain on this rank."""
        return self.a.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the pictures are."""
        return self.a.device
