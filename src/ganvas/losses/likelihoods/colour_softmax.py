"""A distribution over the 256 colours of each channel, with a probability of its own for each.

Van den Oord, Kalchbrenner, Kavukcuoglu: Pixel Recurrent Neural Networks (ICML 2016), https://arxiv.org/abs/1601.06759,
section 3.3. It knows nothing of which colours are near, and can have any shape. Colours are given in [-1, 1].
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.pixels import COLOURS, LEVELS_PER_UNIT
from ganvas.core.shapes import Images


@dataclass(frozen=True)
class ColourSoftmax:
    """The logits of every colour of every channel, each given the channels before it."""

    logits: Float[Tensor, "n c 256 h w"]

    def log_prob(self, images: Images) -> Float[Tensor, "n h w"]:
        """``ln p`` of each pixel's whole colours, in nats."""
        colours = ((images + 1) * LEVELS_PER_UNIT).round().long().clamp(0, COLOURS - 1)
        return (
            -F.cross_entropy(self.logits.flatten(0, 1), colours.flatten(0, 1), reduction="none")
            .unflatten(0, images.shape[:2])
            .sum(1)
        )

    def sample(self, rng: torch.Generator) -> Images:
        """Whole colours in [-1, 1], of every channel on its own."""
        n, channels, _, height, width = self.logits.shape
        shares = self.logits.movedim(2, -1).double().softmax(-1).flatten(0, -2)
        drawn = torch.multinomial(shares, 1, generator=rng)
        return (drawn.view(n, channels, height, width) / LEVELS_PER_UNIT - 1).to(self.logits.dtype)


def softmax_of(numbers: Float[Tensor, "n numbers h w"], *, channels: int) -> ColourSoftmax:
    """The distribution that a network's output describes: the colours of the first channel, of the second, ..."""
    return ColourSoftmax(numbers.unflatten(1, (channels, COLOURS)))
