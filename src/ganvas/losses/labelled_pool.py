"""A pool of pictures whose class is told, for games that learn classes from few labels.

Of ten thousand pictures with a hundred labels a batch has hardly one. From the pool every step takes as many labelled
pictures as its batch has, over and over.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.shapes import Images, Labels
from ganvas.losses.batches.picture_batch import HIDDEN
from ganvas.nn.layers.across_ranks import all_ranks_rows


class LabelledPool(nn.Module):
    """The latest pictures whose label was told, of all ranks; one more place takes what is not kept."""

    images: Tensor
    labels: Tensor
    count: Tensor

    def __init__(self, size: int, picture: DoubledSize) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("images", torch.zeros(size + 1, picture.channels, *picture.size))
        self.register_buffer("labels", torch.full((size + 1,), HIDDEN))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))  # That have come so far.

    @torch.no_grad()
    def take(self, images: Images, labels: Labels) -> None:
        """Keeps those of a step's pictures that have a label, in the places of the oldest."""
        images = all_ranks_rows(images).to(self.images.dtype)
        labels = all_ranks_rows(labels.to(self.images.dtype)).round().long()
        told = labels != HIDDEN
        places = (self.count + told.cumsum(0) - 1) % self.size
        places = torch.where(told, places, self.size)
        self.images.index_copy_(0, places, images)
        self.labels.index_copy_(0, places, labels)
        self.count += told.sum()

    def draw(self, coins: Float[Tensor, " n"]) -> tuple[Images, Labels]:
        """A picture and its label for each uniform number; HIDDEN while the pool is empty."""
        held = self.count.clamp(min=1, max=self.size)
        places = (coins * held).long().clamp(max=self.size - 1)
        return self.images[places], self.labels[places].where(self.count > 0, HIDDEN)
