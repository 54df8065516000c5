"""The batch of pictures, with what may belong to a picture: a class, a target, a label map, a mask, a guide."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganvas.core.shapes import Images, Labels, Masks, OtherImages, Scalar
from ganvas.losses.game import Batch

HIDDEN = -1  # The label of a picture whose class is not told.
VOID = -1  # The class of a pixel that is not told.


@dataclass(frozen=True, kw_only=True)
class Pictures(Batch):
    """Pictures in [-1, 1] at the resolution of the stage, faded when the stage fades."""

    images: Images
    labels: Labels | None = None  # Class of each picture; HIDDEN where it is not told.
    target: OtherImages | None = None  # The paired picture of image translation.
    label_map: Int[Tensor, "n h w"] | None = None  # Class of each pixel; VOID where it is not told.
    pixel_weights: Float[Tensor, "n h w"] | None = None  # By which losses of pixels are multiplied; None is 1.
    mask: Masks | None = None  # 1 where a picture is known, 0 where it is to be filled in.
    guide: OtherImages | None = None  # What a person draws to steer: see capabilities.Fills.
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
    def known(self) -> Masks:
        """The mask, for a loss that cannot be without it."""
        assert self.mask is not None, "a model that fills holes is fed with masks"
        return self.mask

    @property
    def labelled(self) -> Bool[Tensor, " n"]:
        """Which pictures have a label that is told."""
        return self.classes != HIDDEN

    @property
    def paired(self) -> OtherImages:
        """The target, for a loss that cannot be without it."""
        assert self.target is not None, "a model of pairs is fed with targets"
        return self.target

    @property
    def pixel_classes(self) -> Int[Tensor, "n h w"]:
        """The label map, for a loss that cannot be without it."""
        assert self.label_map is not None, "a model that labels pixels is fed with label maps"
        return self.label_map
