"""The batch of pictures, with what may belong to a picture: a class, a target, a mask, a guide."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ganvas.core.shapes import Images, Labels, Scalar
from ganvas.losses.game import Batch

HIDDEN = -1  # The label of a picture whose class is not told.


@dataclass(frozen=True, kw_only=True)
class Pictures(Batch):
    """Pictures in [-1, 1] at the resolution of the stage, faded when the stage fades."""

    images: Images
    labels: Labels | None = None  # Class of each picture; HIDDEN where it is not told.
    target: Images | None = None  # The paired picture of image translation.
    mask: Float[Tensor, "n 1 h w"] | None = None  # 1 where a picture is known, 0 where it is to be filled in.
    guide: Images | None = None  # What a person draws to steer: a sketch, colours.
    fade: Scalar | None = None  # Weight of the newest resolution; None when nothing fades.

    @property
    def size(self) -> int:
        """Pictures on this rank."""
        return self.images.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the pictures are."""
        return self.images.device

    @property
    def classes(self) -> Labels:
        """The labels, for a loss that cannot be without them."""
        assert self.labels is not None, "a model with classes is fed with labels"
        return self.labels

    @property
    def labelled(self) -> Bool[Tensor, " n"]:
        """Which pictures have a label that is told."""
        return self.classes != HIDDEN
