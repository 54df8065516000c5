"""The network of CSP: features of three depths at a quarter of the picture's size, and maps for centres and sizes.

Liu et al. 2019, figure 2. https://arxiv.org/abs/1904.02948. Maps of an eighth and of sixteenths of the size are brought
to a quarter by transposed convolutions, each scaled to one length at every pixel, laid side by side, and mixed.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.networks.classifiers.resnet import resnet_stages, resnet_stem
from ganvas.nn.blocks.residual import BasicBlock
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.l2_norm import L2Norm

STRIDE = 4  # Pixels to a cell of the maps.
DEEPEST = 16  # Pixels to a cell of the deepest features: sides of pictures are multiples of it.
PRIOR = 0.01  # The probability of a centre that an untrained network gives, so that the many empty cells cost little.

Backbone = Literal["resnet50", "small"]


class CentreNetwork(nn.Module):
    """Logits of centres, and numbers of each cell beside them.

    Args:
        channels: Of pictures.
        backbone: The 50 layers of the paper, strides in the first 1x1 convolutions and the last stage dilated; or a
            small one of four blocks.
        base_width: Channels of the small one, doubled from block to block.
        features: Channels of each depth, and of what all are mixed to.
        l2_gain: Start of the gain of every channel.
        logits: Scores of every cell: one, or one for each anchor.
        numbers: What else every cell says.
    """

    def __init__(
        self,
        channels: int,
        *,
        backbone: Backbone,
        base_width: int,
        features: int,
        l2_gain: float,
        logits: int = 1,
        numbers: int = 3,
    ) -> None:
        super().__init__()
        self.stem, self.stages, widths = _resnet(channels) if backbone == "resnet50" else _small(channels, base_width)
        steps = [(widths[1], 2), (widths[2], 4), (widths[3], 4)]
        self.up = nn.ModuleList(
            ConvTranspose2d(width, features, 4, stride=by, padding=1 if by == 2 else 0) for width, by in steps
        )
        self.norms = nn.ModuleList(L2Norm(features, gain=l2_gain) for _ in steps)
        self.mix = nn.Sequential(
            Conv2d(features * len(steps), features, 3, padding=1, bias=False), BatchNorm2d(features), nn.ReLU()
        )
        self.logits, self.numbers = (
            PriorHead(features, logits),
            Conv2d(features, numbers, 1, std=_glorot(features, numbers)),
        )

    def forward(self, images: Float[Tensor, "n c h w"]) -> tuple[Tensor, Tensor]:
        """Maps (n, logits, h / 4, w / 4) and (n, numbers, h / 4, w / 4); sides are multiples of 16."""
        found, x = [], self.stem(images)
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        parts = [norm(up(x)) for up, norm, x in zip(self.up, self.norms, found[1:], strict=True)]
        mixed = self.mix(torch.cat(parts, 1))
        return self.logits(mixed), self.numbers(mixed)


class PriorHead(nn.Module):
    """1x1 convolution to logits whose bias starts at the logit of :data:`PRIOR`."""

    def __init__(self, features: int, logits: int) -> None:
        super().__init__()
        self.conv = Conv2d(features, logits, 1, bias=False, std=_glorot(features, logits))
        self.bias = nn.Parameter(torch.empty(logits))

    def reset(self, generator: torch.Generator) -> None:
        """The prior; draws nothing."""
        del generator
        nn.init.constant_(self.bias, math.log(PRIOR / (1 - PRIOR)))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h w"]:
        return self.conv(x) + self.bias[:, None, None].to(x.dtype)


def padded_to_depth(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """Pictures with grey to the right and below, up to the sides that the network takes."""
    bottom, right = (-side % DEEPEST for side in images.shape[2:])
    return F.pad(images, (0, right, 0, bottom))


def _resnet(channels: int) -> tuple[nn.Module, nn.ModuleList, list[int]]:
    stages, widths = resnet_stages(50, placement="original", dilated=True)
    return nn.Sequential(*resnet_stem(channels)), nn.ModuleList(stages), widths


def _small(channels: int, width: int) -> tuple[nn.Module, nn.ModuleList, list[int]]:
    """A strided convolution and four basic blocks, to 1/4, 1/8, 1/16 and 1/16 of the size."""
    widths = [width << k for k in range(4)]
    stem = nn.Sequential(Conv2d(channels, width, 3, stride=2, padding=1, bias=False), BatchNorm2d(width), nn.ReLU())
    before = [width, *widths[:-1]]
    blocks = [BasicBlock(a, b, stride=stride) for a, b, stride in zip(before, widths, (2, 2, 2, 1), strict=True)]
    return stem, nn.ModuleList(blocks), widths


def _glorot(before: int, after: int) -> float:
    """Glorot's deviation of a 1x1 convolution, as the authors' code starts its heads."""
    return math.sqrt(2 / (before + after))
