"""MUNIT's networks (Huang et al. 2018, section 5.1, https://arxiv.org/abs/1804.04732): content maps and a style code.

A picture is a small map of features, its content, and a handful of numbers, its style. Two encoders find them; a
decoder puts any content and any style together, its adaptive instance norms taking scale and shift from a small network
of the style. Layers and sizes as in the authors' code: mirrored borders, nearest neighbour before the decoder's 5 x 5.

The discriminator looks at the picture at several sizes, each with convolutions of its own.

Departs from the code in the layer norm of the decoder: its gains start at 1, where the code draws them from [0, 1), its
deviation is that of the population, and its floor stands in the root.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.adaptive_instance_norm import AdaptiveInstanceNorm2d
from ganvas.nn.norms.layer_norm import LayerNorm2d

INPUT = {"munit_generator": (3, 256, 256), "munit_discriminator": (3, 256, 256)}
STD = 0.02  # Of the discriminator's weights.

Content = Float[Tensor, "n maps tall wide"]
Style = Float[Tensor, "n s"]


def munit_generator() -> nn.Module:
    """The paper's, of one kind of pictures."""
    return ContentStyle()


def munit_discriminator() -> nn.Module:
    """The paper's: three sizes."""
    return SizesDiscriminator()


class ContentStyle(nn.Module):
    """Takes a picture apart into content and style, and puts any two together.

    Args:
        channels: Of a picture.
        features: Maps at full size.
        halvings: From the picture to its content.
        style_halvings: From the picture to its style, before the mean over places.
        blocks: Residual blocks of the content encoder, and of the decoder.
        style_size: Numbers of a style.
        hidden: Width of the network that makes scales and shifts of a style.
    """

    def __init__(
        self,
        channels: int = 3,
        *,
        features: int = 64,
        halvings: int = 2,
        style_halvings: int = 4,
        blocks: int = 4,
        style_size: int = 8,
        hidden: int = 256,
    ) -> None:
        super().__init__()
        wide = features << halvings
        self.content = nn.Sequential(*_content_layers(channels, features, halvings, blocks))
        self.style = nn.Sequential(*_style_layers(channels, features, style_halvings, style_size))
        self.blocks = nn.ModuleList(StyledBlock(wide) for _ in range(blocks))
        self.last = nn.Sequential(*_enlarging_layers(wide, halvings, channels))
        self.numbers = nn.Sequential(
            *(Linear(style_size, hidden), nn.ReLU(), Linear(hidden, hidden), nn.ReLU()),
            Linear(hidden, blocks * StyledBlock.numbers(wide)),
        )

    def encode(self, images: Images) -> tuple[Content, Style]:
        """Content and style of pictures."""
        return self.content(images), self.style(images)

    def decode(self, content: Content, style: Style) -> Images:
        """Pictures of a content in a style, in [-1, 1]."""
        for block, numbers in zip(self.blocks, self.numbers(style).chunk(len(self.blocks), 1), strict=True):
            content = block(content, numbers)
        return self.last(content)

    def forward(self, images: Images) -> Images:
        """Pictures taken apart and put together again."""
        return self.decode(*self.encode(images))


class StyledBlock(nn.Module):
    """``x + norm(conv(relu(norm(conv(x)))))``, both norms with scale and shift from outside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(_mirrored(channels, channels, 3) for _ in range(2))
        self.norms = nn.ModuleList(AdaptiveInstanceNorm2d(channels) for _ in range(2))

    @staticmethod
    def numbers(channels: int) -> int:
        """How many a block takes: shift and scale of both norms, in this order as in the code."""
        return 4 * channels

    def forward(self, x: Content, numbers: Float[Tensor, "n k"]) -> Content:
        first, second = ((scale, shift) for shift, scale in (half.chunk(2, 1) for half in numbers.chunk(2, 1)))
        y = self.norms[0](self.convolutions[0](x), *first).relu()
        return x + self.norms[1](self.convolutions[1](y), *second)


class SizesDiscriminator(nn.Module):
    """A map of scores of the picture at each of several sizes, each half the one before."""

    def __init__(self, channels: int = 3, *, features: int = 64, layers: int = 4, sizes: int = 3) -> None:
        super().__init__()
        self.judges = nn.ModuleList(_judge(channels, features, layers) for _ in range(sizes))

    def forward(self, images: Images) -> list[Tensor]:
        """Scores (n, 1, h, w) of each size."""
        found = []
        for place, judge in enumerate(self.judges):
            if place:
                images = F.avg_pool2d(images, 3, 2, 1, count_include_pad=False)
            found.append(judge(images))
        return found


def _content_layers(channels: int, features: int, halvings: int, blocks: int) -> list[nn.Module]:
    layers = [_mirrored(channels, features, 7), nn.InstanceNorm2d(features), nn.ReLU()]
    width = features
    for _ in range(halvings):
        layers += [_mirrored(width, 2 * width, 4, stride=2), nn.InstanceNorm2d(2 * width), nn.ReLU()]
        width *= 2
    return [*layers, *(Residual(_branch(width)) for _ in range(blocks))]


def _style_layers(channels: int, features: int, halvings: int, style_size: int) -> list[nn.Module]:
    """Without norms, which would take out what a style is; the width doubles twice."""
    layers = [_mirrored(channels, features, 7), nn.ReLU()]
    width = features
    for place in range(halvings):
        wider = 2 * width if place < 2 else width
        layers += [_mirrored(width, wider, 4, stride=2), nn.ReLU()]
        width = wider
    return [*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(width, style_size)]


def _enlarging_layers(width: int, halvings: int, channels: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for _ in range(halvings):
        layers += [nn.Upsample(scale_factor=2.0), _mirrored(width, width // 2, 5)]
        layers += [LayerNorm2d(width // 2, gains="channels", eps=1e-5), nn.ReLU()]
        width //= 2
    return [*layers, _mirrored(width, channels, 7), nn.Tanh()]


def _branch(channels: int) -> nn.Sequential:
    return nn.Sequential(
        *(_mirrored(channels, channels, 3), nn.InstanceNorm2d(channels), nn.ReLU()),
        *(_mirrored(channels, channels, 3), nn.InstanceNorm2d(channels)),
    )


def _judge(channels: int, features: int, layers: int) -> nn.Sequential:
    """``layers`` halvings, the width doubling after the first, and a score at every place."""
    made: list[nn.Module] = []
    before, after = channels, features
    for _ in range(layers):
        made += [_mirrored(before, after, 4, stride=2, std=STD), nn.LeakyReLU(0.2)]
        before, after = after, 2 * after
    return nn.Sequential(*made, Conv2d(before, 1, 1, std=STD))


def _mirrored(before: int, after: int, kernel: int, *, stride: int = 1, std: float | None = None) -> nn.Module:
    """A convolution that keeps the size, or halves it, with mirrored borders."""
    convolution = Conv2d(before, after, kernel, stride=stride, std=std)
    return nn.Sequential(nn.ReflectionPad2d((kernel - 1) // 2), convolution)
