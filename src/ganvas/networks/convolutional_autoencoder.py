"""Convolutional encoder and decoder of pictures whose size is a small one doubled: the pair that autoencoders share.

The encoder halves by strided convolutions, the decoder doubles by nearest neighbours and a convolution; each size has
one more convolution. Leaky ReLUs, no norms: a picture's numbers depend on no other picture of its batch.
"""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.shapes import Images, Latents
from ganvas.nn.layers.fused_scale import EqualizedUpConv2d
from ganvas.nn.layers.plain_layers import Conv2d, Linear

SLOPE = 0.2  # Of the leaky ReLUs.


def doubled_maps(picture: DoubledSize, features: int, features_max: int) -> list[int]:
    """Feature maps from the smallest size up: ``features`` at full size, doubled with every halving up to a maximum."""
    return [min(features << halvings, features_max) for halvings in range(picture.levels, -1, -1)]


class PictureEncoder(nn.Module):
    """From pictures to ``outputs`` numbers, in float32 at least.

    Args:
        features: Feature maps of the full resolution; doubled with every halving of the size ...
        features_max: ... up to this.
    """

    def __init__(self, picture: DoubledSize, outputs: int, *, features: int, features_max: int) -> None:
        super().__init__()
        maps = doubled_maps(picture, features, features_max)[::-1]
        self.first = Conv2d(picture.channels, maps[0], 3, padding=1)
        self.halvings = nn.ModuleList(Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(maps))
        self.convolutions = nn.ModuleList(Conv2d(channels, channels, 3, padding=1) for channels in maps[1:])
        inputs = maps[-1] * picture.base[0] * picture.base[1]
        self.last = Linear(inputs, outputs, std=1 / math.sqrt(inputs))

    def forward(self, images: Images) -> Float[Tensor, "n outputs"]:
        x = F.leaky_relu(self.first(images), SLOPE)
        for halving, convolution in zip(self.halvings, self.convolutions, strict=True):
            x = F.leaky_relu(halving(x), SLOPE)
            x = F.leaky_relu(convolution(x), SLOPE)
        return at_least_float32(self.last(x.flatten(1)))


class PictureDecoder(nn.Module):
    """From latents to pictures in [-1, 1]; arguments as of :class:`PictureEncoder`."""

    def __init__(self, picture: DoubledSize, inputs: int, *, features: int, features_max: int) -> None:
        super().__init__()
        self.base, maps = picture.base, doubled_maps(picture, features, features_max)
        self.first = Linear(inputs, maps[0] * picture.base[0] * picture.base[1])
        self.convolutions = nn.ModuleList(Conv2d(channels, channels, 3, padding=1) for channels in maps[:-1])
        self.doublings = nn.ModuleList(EqualizedUpConv2d(a, b, equalized=False) for a, b in pairwise(maps))
        self.last = Conv2d(maps[-1], picture.channels, 3, padding=1, std=1 / math.sqrt(9 * maps[-1]))

    def forward(self, z: Latents) -> Images:
        x = self.first(z).view(z.shape[0], -1, *self.base).contiguous(memory_format=torch.channels_last)
        x = F.leaky_relu(x, SLOPE)
        for convolution, doubling in zip(self.convolutions, self.doublings, strict=True):
            x = F.leaky_relu(convolution(x), SLOPE)
            x = F.leaky_relu(doubling(x), SLOPE)
        return at_least_float32(self.last(x)).tanh()


def at_least_float32(x: Tensor) -> Tensor:
    """Sums over all pixels, exponentials and logarithms follow."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
