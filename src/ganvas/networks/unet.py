"""U-Net (Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597, figure 1): 23 convolutions without padding.

A picture of 572 x 572 becomes a map of 388 x 388: no score depends on pixels that were invented around the picture.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images
from ganvas.nn.blocks.skips import concatenate_skip
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d

INPUT = {"unet": (1, 572, 572), "unet_padded": (3, 256, 256)}


def unet() -> nn.Module:
    """One channel in, two classes out, as in figure 1."""
    return UNet(1, 2, padding=0)


def unet_padded() -> nn.Module:
    """Three channels in, two classes out; with zeros around, so that the map has the picture's size."""
    return UNet(3, 2, padding=1)


class UNet(nn.Module):
    """Down four times by maxima over 2 x 2, up four times by transposed convolutions of 2 x 2."""

    def __init__(self, channels: int, classes: int, *, padding: int, features: int = 64, levels: int = 4) -> None:
        super().__init__()
        widths = [features << level for level in range(levels + 1)]
        befores = [channels, *widths]
        self.down = nn.ModuleList(_twice(before, w, padding) for before, w in zip(befores, widths, strict=False))
        upwards = widths[-2::-1]
        self.up = nn.ModuleList(ConvTranspose2d(2 * w, w, 2, stride=2) for w in upwards)
        self.join = nn.ModuleList(_twice(2 * w, w, padding) for w in upwards)
        self.classify = Conv2d(features, classes, 1)

    def forward(self, x: Images) -> Float[Tensor, "n classes h2 w2"]:
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.down[-1](x)
        for up, join, skip in zip(self.up, self.join, reversed(skips), strict=True):
            x = join(concatenate_skip(up(x), skip))
        return self.classify(x)


def _twice(before: int, channels: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        *(Conv2d(before, channels, 3, padding=padding), nn.ReLU()),
        *(Conv2d(channels, channels, 3, padding=padding), nn.ReLU()),
    )
