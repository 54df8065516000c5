"""Residual discriminator of StyleGAN2 (Karras et al. 2020, figure 7c, https://arxiv.org/abs/1912.04958).

Every block of two convolutions halves the picture and a smoothed shortcut goes around it, both scaled by
``sqrt(1/2)`` so that the sum keeps its variance. Minibatch standard deviation stands before the last two layers. With
classes the score is the projection of the features on the embedding of the label (Miyato & Koyama 2018,
https://arxiv.org/abs/1802.05637), in the form of Karras et al. 2020 (ADA, https://arxiv.org/abs/2006.06676).
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Features, Images, Labels, PerSample
from ganvas.networks.adversarial.style_generator import GAIN, PAPER256, SLOPE, MappingNetwork
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.nn.layers.equalized import EqualizedConv2d, EqualizedLinear
from ganvas.nn.layers.smooth_resample import smooth, smooth_halve

INPUT = {"stylegan2_discriminator": (3, 256, 256)}
EMBEDDING_LAYERS = 8  # Of the network that maps a label to what features are projected on.
EMBEDDING_LR = 0.01  # Its learning rate's multiplier.


def stylegan2_discriminator() -> nn.Module:
    """Of 256 x 256, as in the settings "paper256" of Karras et al. 2020 (ADA, https://arxiv.org/abs/2006.06676)."""
    return ResidualDiscriminator(PAPER256, base=(4, 4), channels=3, group_size=8)


class HalvingBlock(nn.Module):
    """Two 3 x 3 convolutions, the second of which halves, and a shortcut around both where it is residual."""

    def __init__(self, in_channels: int, out_channels: int, *, residual: bool) -> None:
        super().__init__()
        gain = 1.0 if residual else GAIN  # sqrt(2) of the activation times sqrt(1/2) of the sum.
        self.convolution = EqualizedConv2d(in_channels, in_channels, 3, gain=GAIN, bias_gain=GAIN)
        self.halving = EqualizedConv2d(in_channels, out_channels, 3, padding=0, stride=2, gain=gain, bias_gain=gain)
        self.shortcut = None
        if residual:
            self.shortcut = EqualizedConv2d(in_channels, out_channels, 1, gain=math.sqrt(0.5), bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h//2 w//2"]:
        y = F.leaky_relu(self.convolution(x), SLOPE)
        y = F.leaky_relu(self.halving(smooth(y, margin=2)), SLOPE)
        return y if self.shortcut is None else y + self.shortcut(smooth_halve(x))


class ResidualDiscriminator(nn.Module):
    """From a picture to a score.

    Args:
        maps: Feature maps from the first (smallest) resolution up.
        base: Height and width of the first resolution.
        group_size: Of minibatch standard deviation.
        residual: Without shortcuts it is the plain discriminator, which ADA's setting of CIFAR-10 has.
    """

    def __init__(
        self,
        maps: Sequence[int],
        *,
        base: tuple[int, int],
        channels: int,
        group_size: int | None,
        residual: bool = True,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        self.from_rgb = EqualizedConv2d(channels, maps[-1], 1, gain=GAIN, bias_gain=GAIN)
        self.blocks = nn.ModuleList(
            HalvingBlock(upper, lower, residual=residual) for upper, lower in pairwise(maps[::-1])
        )
        self.stddev = MinibatchStdDev(group_size)
        self.convolution = EqualizedConv2d(maps[0] + 1, maps[0], 3, gain=GAIN, bias_gain=GAIN)
        self.dense = EqualizedLinear(maps[0] * base[0] * base[1], maps[0], gain=GAIN, bias_gain=GAIN)
        self.score = EqualizedLinear(maps[0], maps[0] if num_classes else 1, gain=1.0)
        self.embedding = None
        if num_classes:
            self.embedding = MappingNetwork(
                0, maps[0], layers=EMBEDDING_LAYERS, lr_multiplier=EMBEDDING_LR, num_classes=num_classes
            )

    def forward(self, images: Images, labels: Labels | None = None) -> PerSample:
        """Scores, float32 at least; higher is more real. With classes and no labels: the mean score of all classes."""
        scores = self.score(self.features(images))
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        if self.embedding is None:
            return scores[:, 0]
        return (scores * self._targets(self.embedding, labels, scores)).sum(1) / math.sqrt(scores.shape[1])

    def features(self, images: Images) -> Features:
        """What the last layer sees."""
        x = F.leaky_relu(self.from_rgb(images), SLOPE)
        for block in self.blocks:
            x = block(x)
        x = F.leaky_relu(self.convolution(self.stddev(x)), SLOPE)
        return F.leaky_relu(self.dense(x.flatten(1)), SLOPE)

    def _targets(self, embedding: MappingNetwork, labels: Labels | None, scores: Tensor) -> Float[Tensor, "_ d"]:
        """What the features are projected on: a row per sample, or one row for all."""
        if labels is not None:
            return embedding(None, labels)
        return embedding(None, torch.arange(embedding.num_classes, device=scores.device)).mean(0, keepdim=True)
