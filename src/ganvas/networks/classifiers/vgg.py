"""VGG (Simonyan & Zisserman 2015, https://arxiv.org/abs/1409.1556): 3 x 3 convolutions and nothing else, table 1 A-E.

Three 3 x 3 convolutions see as much as one of 7 x 7, with 45 % fewer weights and two more non-linearities.
``vgg16`` and ``vgg19`` are D and E. ``vgg16_bn`` has a batch norm after every convolution; the paper has none.
"""

from collections.abc import Sequence

from torch import nn

from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.batch_norm import BatchNorm2d

Block = tuple[int, ...]  # Sides of a block's kernels; a maximum over 2 x 2 follows.
CHANNELS = (64, 128, 256, 512, 512)
BLOCKS: dict[str, tuple[Block, ...]] = {
    "A": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "B": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}
INPUT = dict.fromkeys(["vgg_a", "vgg_b", "vgg_c", "vgg_d", "vgg_e", "vgg16", "vgg19", "vgg16_bn"], (3, 224, 224))


def vgg_a() -> nn.Module:
    """11 layers with weights."""
    return vgg("A")


def vgg_b() -> nn.Module:
    """13 layers with weights."""
    return vgg("B")


def vgg_c() -> nn.Module:
    """16 layers with weights, three of them 1 x 1."""
    return vgg("C")


def vgg_d() -> nn.Module:
    """16 layers with weights: what is called VGG-16."""
    return vgg("D")


def vgg_e() -> nn.Module:
    """19 layers with weights: VGG-19."""
    return vgg("E")


def vgg16() -> nn.Module:
    """Configuration D, by its usual name."""
    return vgg_d()


def vgg19() -> nn.Module:
    """Configuration E, by its usual name."""
    return vgg_e()


def vgg16_bn() -> nn.Module:
    """D with a batch norm after every convolution."""
    return vgg("D", norm=True)


def vgg(configuration: str, *, norm: bool = False, classes: int = 1000) -> nn.Sequential:
    """A column of the paper's table 1."""
    return nn.Sequential(
        *blocks(BLOCKS[configuration], norm=norm),
        nn.Flatten(),
        *(Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout()),
        *(Linear(4096, 4096), nn.ReLU(), nn.Dropout()),
        Linear(4096, classes, std=0.01),
    )


def blocks(
    kernels: Sequence[Block],
    *,
    channels: int = 3,
    widths: Sequence[int] = CHANNELS,
    norm: bool = False,
    first_padding: int = 1,
    ceil_mode: bool = False,
) -> list[nn.Sequential]:
    """The convolutional part: five blocks in the paper, each of which ends with half the side.

    Args:
        kernels: Sides of each block's.
        channels: Of the picture.
        widths: Channels of each block.
        first_padding: Zeros around the picture itself.
        ceil_mode: An odd side is halved upwards, as Caffe does.
    """
    found, before = [], channels
    for width, sides in zip(widths, kernels, strict=True):
        layers: list[nn.Module] = []
        for kernel in sides:
            padding = kernel // 2 if found or layers else first_padding
            layers.append(Conv2d(before, width, kernel, padding=padding))
            layers += [BatchNorm2d(width), nn.ReLU()] if norm else [nn.ReLU()]
            before = width
        found.append(nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=ceil_mode)))
    return found
