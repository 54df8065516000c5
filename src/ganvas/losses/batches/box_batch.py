"""The batch of pictures with boxes around what is to be found in them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.shapes import Images
from ganvas.losses.game import Batch


@dataclass(frozen=True, kw_only=True)
class BoxedPictures(Batch):
    """Pictures in [-1, 1], each with as many boxes as the picture with most of them: the others are absent."""

    images: Images
    corners: Float[Tensor, "n m 4"]  # Left, top, right, bottom in pixels.
    kinds: Int[Tensor, "n m"]  # ABSENT, IGNORED or OBJECT: see core.boxes.box_kinds.

    @property
    def size(self) -> int:
        """Pictures on this rank."""
        return self.images.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the pictures are."""
        return self.images.device
