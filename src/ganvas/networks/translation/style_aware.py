"""Networks of adaptive style transfer (Sanakoyeu et al. 2018, https://arxiv.org/abs/1807.10201, section 2).

An encoder that halves four times, a decoder of nine residual blocks, and a discriminator that gives scores at five of
its seven layers. Instance norms have scales and shifts of their own; convolutions have no biases.

Departs from the authors' code: the encoder mirrors one pixel before each of its convolutions, where the code mirrors 15
before the first (maps have the same sizes, and large pictures can be gone through in tiles); scales start at 1, where
the code draws them from N(1, 0.02^2), and weights are not cut off at two deviations.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.instance_norm import ScaledInstanceNorm2d

INPUT = {"style_aware_generator": (3, 768, 768), "style_aware_discriminator": (3, 768, 768)}
STD = 0.02
WIDTHS = (2, 2, 4, 8, 8, 16, 16)  # Of the discriminator's layers, times its features.
KERNELS = (5, 10, 10, 10, 6, 6, 3)  # Of the scores of each layer; the paper has none of layers 2 and 4.
SCORED = (0, 1, 3, 5, 6)


def style_aware_generator() -> nn.Module:
    """The paper's."""
    return nn.Sequential(style_encoder(32), style_decoder(32))


def style_aware_discriminator() -> nn.Module:
    """The paper's."""
    return ScoredDiscriminator()


def style_encoder(features: int, *, channels: int = 3, halvings: int = 4) -> nn.Sequential:
    """From a picture to its content, a map of ``features << (halvings - 1)`` channels."""
    widths = [features, *(features << level for level in range(halvings))]
    halved = (layer for pair in pairwise(widths) for layer in _mirrored(*pair, 3, stride=2))
    return nn.Sequential(_norm(channels), *_mirrored(channels, features, 3), *halved)


def style_decoder(features: int, *, channels: int = 3, halvings: int = 4, blocks: int = 9) -> nn.Sequential:
    """From a content to a picture in [-1, 1]."""
    wide = features << (halvings - 1)
    layers: list[nn.Module] = [Residual(_branch(wide)) for _ in range(blocks)]
    before = wide
    for level in reversed(range(halvings)):
        after = features << level
        layers += [nn.Upsample(scale_factor=2.0), _plain(before, after, 3, padding=1), _norm(after), nn.ReLU()]
        before = after
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), _plain(before, channels, 7), Range())


class ScoredDiscriminator(nn.Module):
    """Halvings by 5 x 5 convolutions, and maps of scores of some of them.

    Args:
        scored: The layers that have scores, from 0; the last one ends the network.
        normed: Whether instance norms follow the convolutions. With them the level and the contrast of a picture's
            colours hardly reach a score.
    """

    def __init__(
        self, channels: int = 3, *, features: int = 64, scored: Sequence[int] = SCORED, normed: bool = True
    ) -> None:
        super().__init__()
        widths = (channels, *(features * times for times in WIDTHS[: max(scored) + 1]))
        self.layers = nn.ModuleList(
            nn.Sequential(
                SameConv2d(before, after, 5, stride=2), *([_norm(after)] if normed else []), nn.LeakyReLU(0.2)
            )
            for before, after in pairwise(widths)
        )
        self.scores = nn.ModuleDict({str(place): SameConv2d(widths[place + 1], 1, KERNELS[place]) for place in scored})

    def forward(self, x: Images) -> list[Tensor]:
        """Scores (n, 1, h, w) of each scored layer."""
        found = []
        for place, layer in enumerate(self.layers):
            x = layer(x)
            if str(place) in self.scores:
                found.append(self.scores[str(place)](x))
        return found


class SameConv2d(nn.Module):
    """A convolution without bias whose side is ``ceil(h / stride)``: TensorFlow's "SAME", the odd zero at the end."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride
        self.convolution = _plain(in_channels, out_channels, kernel_size, stride=stride)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        (above, below), (left, right) = (same_padding(side, self.kernel_size, self.stride) for side in x.shape[2:])
        return self.convolution(F.pad(x, (left, right, above, below)))


def same_padding(side: int, kernel_size: int, stride: int = 1) -> tuple[int, int]:
    """Zeros before and after, in TensorFlow's "SAME".

    >>> same_padding(8, 5, 2), same_padding(7, 5, 2), same_padding(8, 10)
    ((1, 2), (2, 2), (4, 5))
    """
    total = max((-(-side // stride) - 1) * stride + kernel_size - side, 0)
    return total // 2, total - total // 2


class Range(nn.Module):
    """``2 sigma(x) - 1``."""

    def forward(self, x: Images) -> Images:
        return 2 * x.sigmoid() - 1


def _norm(channels: int) -> nn.Module:
    return ScaledInstanceNorm2d(channels)


def _plain(before: int, after: int, kernel: int, *, stride: int = 1, padding: int = 0) -> Conv2d:
    return Conv2d(before, after, kernel, stride=stride, padding=padding, bias=False, std=STD)


def _mirrored(before: int, after: int, kernel: int, *, stride: int = 1) -> list[nn.Module]:
    convolution = _plain(before, after, kernel, stride=stride)
    return [nn.ReflectionPad2d(kernel // 2), convolution, _norm(after), nn.ReLU()]


def _branch(channels: int) -> nn.Sequential:
    first = _mirrored(channels, channels, 3)
    return nn.Sequential(*first, *_mirrored(channels, channels, 3)[:-1])
