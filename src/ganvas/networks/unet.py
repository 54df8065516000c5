"""U-Net (Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597, figure 1): 23 convolutions without padding.

A picture of 572 x 572 becomes a map of 388 x 388: no score depends on pixels that were invented around the picture.
"""

from collections.abc import Callable
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images
from ganvas.nn.blocks.skips import add_skip, concatenate_skip
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d
from ganvas.nn.layers.stream_dropout import Drop, kept

INPUT = {"unet": (1, 572, 572), "unet_padded": (3, 256, 256)}


def unet() -> nn.Module:
    """One channel in, two classes out, as in figure 1."""
    return UNet(1, 2, padding=0)


def unet_padded() -> nn.Module:
    """Three channels in, two classes out; with zeros around, so that the map has the picture's size."""
    return UNet(3, 2, padding=1)


class UNet(nn.Module):
    """Down four times by maxima over 2 x 2, up four times by transposed convolutions of 2 x 2.

    Args:
        channels: Of a picture.
        classes: Scores of each pixel.
        padding: Zeros around every map: 0 as in the paper, or 1, which keeps sizes.
        features: Channels at full size, doubled with every halving.
        levels: Halvings.
        skip: Whether the encoder's features stand beside the decoder's, as in the paper, or are added to them.
        norm: What follows every convolution of 3 x 3, before its ReLU; the paper has nothing.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        padding: int,
        features: int = 64,
        levels: int = 4,
        skip: Literal["concatenate", "add"] = "concatenate",
        norm: Callable[[int], nn.Module] = lambda channels: nn.Identity(),
    ) -> None:
        super().__init__()
        self.levels = levels
        self.join_skip = concatenate_skip if skip == "concatenate" else add_skip
        widths = [features << level for level in range(levels + 1)]
        befores = [channels, *widths]
        self.down = nn.ModuleList(_twice(before, w, padding, norm) for before, w in zip(befores, widths, strict=False))
        upwards = widths[-2::-1]
        self.up = nn.ModuleList(ConvTranspose2d(2 * w, w, 2, stride=2) for w in upwards)
        beside = 2 if skip == "concatenate" else 1
        self.join = nn.ModuleList(_twice(beside * w, w, padding, norm) for w in upwards)
        self.classify = Conv2d(features, classes, 1)

    def forward(self, x: Images, drop: Drop = kept) -> Float[Tensor, "n classes h2 w2"]:
        """Scores; features at the end of the way down, of the last two levels, go through ``drop``."""
        skips = []
        for level, block in enumerate(self.down[:-1]):
            x = block(x)
            x = drop(x) if level == self.levels - 1 else x
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = drop(self.down[-1](x))
        for up, join, skip in zip(self.up, self.join, reversed(skips), strict=True):
            x = join(self.join_skip(up(x), skip))
        return self.classify(x)


def lost_pixels(levels: int) -> int:
    """By how much a map without padding is smaller than its picture, half of it on each side.

    >>> lost_pixels(4)
    184
    """
    return 12 * 2**levels - 8


def padded_size(size: int, levels: int) -> int:
    """The least side of a map, not below ``size``, that a network without padding can give.

    >>> padded_size(388, 4), padded_size(389, 4), padded_size(1, 4)
    (388, 404, 4)
    """
    scale, lost = 2**levels, 4 * (2**levels - 1)
    return scale * -(-(size + lost) // scale) - lost


def _twice(before: int, channels: int, padding: int, norm: Callable[[int], nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in (before, channels):
        layers.append(Conv2d(inputs, channels, 3, padding=padding))
        normed = norm(channels)
        layers += [nn.ReLU()] if isinstance(normed, nn.Identity) else [normed, nn.ReLU()]
    return nn.Sequential(*layers)
