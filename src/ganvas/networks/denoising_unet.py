"""The U-Net of diffusion models: from noisy pictures and their noise levels to pictures of the same size.

DDPM++ of Song et al. 2021 (https://arxiv.org/abs/2011.13456) in the form that Karras et al. 2022 train it in
(https://arxiv.org/abs/2206.00364, table 7): residual blocks that are told the noise level between their two
convolutions, halved by means of 2 x 2 and doubled by repetition, attention at some sizes, and every block on the way up
sees beside its input what a block on the way down has left. Sums are scaled by sqrt(1/2), so that they keep their
variance.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images, PerSample
from ganvas.nn.layers.batch_dropout import BatchDropout
from ganvas.nn.layers.noise_embedding import NoiseEmbedding
from ganvas.nn.layers.plain_layers import Conv2d, Linear

EMBEDDED = 4  # The embedding of the noise level is so many times as wide as the first maps.
ATTENTION_GAIN = math.sqrt(0.2)  # Of the start of queries, keys and values.
MOST_GROUPS, LEAST_IN_GROUP = 32, 4  # Of group normalisation.

Maps = Float[Tensor, "n c h w"]


class DenoisingUNet(nn.Module):
    """Blocks per size on the way down, one more per size on the way up.

    Args:
        channels: Of the pictures.
        features: Maps at full size, before ``multipliers``.
        multipliers: Of the maps at full size, at half, at a quarter, ...
        blocks: Residual blocks per size on the way down.
        attention: The numbers of halvings after which blocks have attention.
        dropout: Share of the activations between the two convolutions of a block that is set to 0.
    """

    def __init__(
        self,
        channels: int,
        *,
        features: int,
        multipliers: Sequence[int],
        blocks: int,
        attention: Sequence[int],
        dropout: float = 0.0,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        embedded = EMBEDDED * features
        self.embedding = NoiseEmbedding(features, embedded, num_classes=num_classes)

        def block(before: int, after: int, *, attends: bool = False, resize: float = 1.0) -> DenoisingBlock:
            return DenoisingBlock(before, after, embedded, attends=attends, resize=resize, dropout=dropout)

        self.first = _convolution(channels, features, 3)
        widths = [features * multiplier for multiplier in multipliers]
        self.down, left = nn.ModuleList(), [features]
        now = features
        for level, width in enumerate(widths):
            if level:
                self.down.append(block(now, now, resize=0.5))
                left.append(now)
            for _ in range(blocks):
                self.down.append(block(now, width, attends=level in attention))
                left.append(now := width)
        self.middle = nn.ModuleList([block(now, now, attends=True), block(now, now)])
        self.up, self.takes = nn.ModuleList(), list[bool]()  # Whether a block takes what the way down has left.
        for level, width in reversed(list(enumerate(widths))):
            for number in range(blocks + 1):
                self.up.append(block(now + left.pop(), width, attends=number == blocks and level in attention))
                self.takes.append(True)
                now = width
            if level:
                self.up.append(block(now, now, resize=2.0))
                self.takes.append(False)
        assert not left
        self.norm, self.last = _norm(now), _convolution(now, channels, 3, gain=0.0)

    def forward(self, images: Images, levels: PerSample, labels: Tensor | None = None) -> Images:
        """What the network says of noisy pictures.

        Args:
            levels: A number for each picture's noise level.
            labels: Of a network with classes; -1 where it is not told.
        """
        embedding = self.embedding(levels, labels, images.dtype)
        x = self.first(images)
        left = [x]
        for block in self.down:
            left.append(x := block(x, embedding))
        for block in self.middle:
            x = block(x, embedding)
        for block, takes in zip(self.up, self.takes, strict=True):
            x = block(torch.cat([x, left.pop()], 1) if takes else x, embedding)
        return self.last(F.silu(self.norm(x)))


class DenoisingBlock(nn.Module):
    """``sqrt(1/2) (skip(x) + conv(dropout(silu(norm(conv(silu(norm(x))) + level)))))``, and attention after it.

    Args:
        embedded: Width of the embedding of the noise level.
        resize: 0.5 halves both sides first, 2.0 doubles them.
    """

    def __init__(
        self, before: int, after: int, embedded: int, *, attends: bool, resize: float = 1.0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.resize = resize
        self.norms = nn.ModuleList([_norm(before), _norm(after)])
        self.convolutions = nn.ModuleList([_convolution(before, after, 3), _convolution(after, after, 3, gain=0.0)])
        self.level = Linear(embedded, after, std=math.sqrt(2 / (embedded + after)))
        self.dropout = BatchDropout(dropout)
        self.skip = _convolution(before, after, 1) if before != after or resize != 1.0 else None
        self.attention = Attention(after) if attends else None

    def forward(self, x: Maps, embedding: Float[Tensor, "n e"]) -> Float[Tensor, "n c2 h2 w2"]:
        y = self.convolutions[0](self._resized(F.silu(self.norms[0](x))))
        y = F.silu(self.norms[1](y + self.level(embedding)[:, :, None, None]))
        y = self.convolutions[1](self.dropout(y))
        kept = self._resized(x)
        y = (y + (kept if self.skip is None else self.skip(kept))) * math.sqrt(0.5)
        return y if self.attention is None else self.attention(y)

    def _resized(self, x: Maps) -> Float[Tensor, "n c h2 w2"]:
        if self.resize == 0.5:
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=self.resize, mode="nearest") if self.resize == 2.0 else x


class Attention(nn.Module):
    """``sqrt(1/2) (x + out(softmax(q k^T / sqrt(c)) v))``: every place looks at all others, with one head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.inputs = _convolution(channels, 3 * channels, 1, gain=ATTENTION_GAIN)
        self.output = _convolution(channels, channels, 1, gain=0.0)

    def forward(self, x: Maps) -> Maps:
        queries, keys, values = self.inputs(self.norm(x)).flatten(2).transpose(1, 2).unsqueeze(1).chunk(3, 3)
        seen = F.scaled_dot_product_attention(queries, keys, values).squeeze(1).transpose(1, 2)
        return (x + self.output(seen.unflatten(2, x.shape[2:]))) * math.sqrt(0.5)


def _norm(channels: int) -> nn.GroupNorm:
    """Up to 32 groups of equally many channels, at least 4 where there are as many."""
    most = min(MOST_GROUPS, max(channels // LEAST_IN_GROUP, 1))
    groups = max(number for number in range(1, most + 1) if channels % number == 0)
    return nn.GroupNorm(groups, channels, eps=1e-6)


def _convolution(before: int, after: int, kernel: int, *, gain: float = 1.0) -> Conv2d:
    """Of the same size; its start keeps the variance of values and gradients, on the average (Glorot & Bengio 2010)."""
    std = gain * math.sqrt(2 / ((before + after) * kernel**2))
    return Conv2d(before, after, kernel, padding=kernel // 2, std=std)
