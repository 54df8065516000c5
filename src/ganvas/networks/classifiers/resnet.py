"""ResNet (He et al. 2015, https://arxiv.org/abs/1512.03385): for CIFAR (section 4.2) and for ImageNet (table 1).

The bottleneck networks exist with the stride in three places, and their receptive fields differ (427, 483 and 483
pixels for 50 layers), so a number without its placement says little:

- ``resnet50`` ("v1.5"): in the 3 x 3 convolution of a stage's first block, as torchvision and most training code.
- ``resnet50_original``: in the first 1 x 1 convolution of a stage's first block, as the paper's code.
- ``resnet50_slim``: in the 3 x 3 convolution of the *last* block of the stages before the last, as TF-slim.
"""

from itertools import pairwise
from typing import Literal

from torch import nn

from ganvas.nn.blocks.residual import BasicBlock, Bottleneck, PaddedShortcut, subsampling
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.batch_norm import BatchNorm2d

Placement = Literal["v1.5", "original", "slim"]
LAYERS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
WIDTHS = (64, 128, 256, 512)
CIFAR_DEPTHS = (20, 32, 44, 56, 110, 1202)
BOTTLENECKS = [f"resnet{depth}{place}" for depth in (50, 101, 152) for place in ("", "_original", "_slim")]
INPUT = {
    **{f"cifar_resnet{depth}": (3, 32, 32) for depth in CIFAR_DEPTHS},
    **dict.fromkeys(["resnet18", "resnet34", *BOTTLENECKS], (3, 224, 224)),
}


def cifar_resnet20() -> nn.Module:
    """20 layers, option A."""
    return cifar_resnet(20)


def cifar_resnet32() -> nn.Module:
    """32 layers, option A."""
    return cifar_resnet(32)


def cifar_resnet44() -> nn.Module:
    """44 layers, option A."""
    return cifar_resnet(44)


def cifar_resnet56() -> nn.Module:
    """56 layers, option A."""
    return cifar_resnet(56)


def cifar_resnet110() -> nn.Module:
    """110 layers, option A."""
    return cifar_resnet(110)


def cifar_resnet1202() -> nn.Module:
    """1202 layers, option A."""
    return cifar_resnet(1202)


def resnet18() -> nn.Module:
    """18 layers of basic blocks."""
    return resnet(18)


def resnet34() -> nn.Module:
    """34 layers of basic blocks."""
    return resnet(34)


def resnet50() -> nn.Module:
    """50 layers, v1.5."""
    return resnet(50)


def resnet50_original() -> nn.Module:
    """50 layers, stride in the first 1 x 1."""
    return resnet(50, placement="original")


def resnet50_slim() -> nn.Module:
    """50 layers, stride in the last block."""
    return resnet(50, placement="slim")


def resnet101() -> nn.Module:
    """101 layers, v1.5."""
    return resnet(101)


def resnet101_original() -> nn.Module:
    """101 layers, stride in the first 1 x 1."""
    return resnet(101, placement="original")


def resnet101_slim() -> nn.Module:
    """101 layers, stride in the last block."""
    return resnet(101, placement="slim")


def resnet152() -> nn.Module:
    """152 layers, v1.5."""
    return resnet(152)


def resnet152_original() -> nn.Module:
    """152 layers, stride in the first 1 x 1."""
    return resnet(152, placement="original")


def resnet152_slim() -> nn.Module:
    """152 layers, stride in the last block."""
    return resnet(152, placement="slim")


def cifar_resnet(depth: int, *, classes: int = 10) -> nn.Sequential:
    """6n + 2 layers: a convolution, 2n at 32 x 32 and 16 channels, 2n at 16 and 32, 2n at 8 and 64, a dense layer."""
    per_stage = (depth - 2) // 6
    stages = []
    for before, channels in pairwise((16, 16, 32, 64)):
        strides = [1 if before == channels else 2] + [1] * (per_stage - 1)
        inputs = [before] + [channels] * (per_stage - 1)
        stages.append(
            nn.Sequential(
                *(
                    BasicBlock(c, channels, stride=stride, shortcut=PaddedShortcut)
                    for c, stride in zip(inputs, strides, strict=True)
                )
            )
        )
    stem = [Conv2d(3, 16, 3, padding=1, bias=False), BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(64, classes))


def resnet(depth: int, *, placement: Placement = "v1.5", classes: int = 1000) -> nn.Sequential:
    """A column of the paper's table 1: 18 and 34 of basic blocks, 50, 101 and 152 of bottlenecks."""
    stages, channels = resnet_stages(depth, placement=placement)
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(channels[-1], classes)]
    return nn.Sequential(*resnet_stem(3), *stages, *head)


def resnet_stem(channels: int) -> list[nn.Module]:
    """What all columns of table 1 begin with: from pictures to 64 channels at a quarter of their size."""
    first = Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    return [first, BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]


def resnet_stages(
    depth: int, *, placement: Placement = "v1.5", dilated: bool = False
) -> tuple[list[nn.Sequential], list[int]]:
    """The four stages between stem and head, and the channels that come out of each.

    Args:
        dilated: The last stage of bottlenecks keeps the size of its input; its 3x3 convolutions skip every other pixel.
    """
    stages, channels = [], [64]
    for index, (width, blocks) in enumerate(zip(WIDTHS, LAYERS[depth], strict=True)):
        wide = dilated and index == len(WIDTHS) - 1
        strides = [1] * blocks if wide else _strides(index, blocks, placement)
        if depth < 50:
            stage, out = _basic_stage(channels[-1], width, strides)
        else:
            stage, out = _bottleneck_stage(channels[-1], width, strides, placement, dilation=2 if wide else 1)
        stages.append(stage)
        channels.append(out)
    return stages, channels[1:]


def _strides(stage: int, blocks: int, placement: Placement) -> list[int]:
    if placement == "slim":
        return [1] * (blocks - 1) + [1 if stage == len(WIDTHS) - 1 else 2]
    return [1 if stage == 0 else 2] + [1] * (blocks - 1)


def _basic_stage(channels: int, width: int, strides: list[int]) -> tuple[nn.Sequential, int]:
    inputs = [channels] + [width] * (len(strides) - 1)
    blocks = (BasicBlock(c, width, stride=s) for c, s in zip(inputs, strides, strict=True))
    return nn.Sequential(*blocks), width


def _bottleneck_stage(
    channels: int, width: int, strides: list[int], placement: Placement, *, dilation: int = 1
) -> tuple[nn.Sequential, int]:
    inputs = [channels] + [4 * width] * (len(strides) - 1)
    stride_at = "1x1" if placement == "original" else "3x3"
    blocks = (
        Bottleneck(c, width, stride=s, stride_at=stride_at, dilation=dilation, shortcut=subsampling)
        for c, s in zip(inputs, strides, strict=True)
    )
    return nn.Sequential(*blocks), 4 * width
