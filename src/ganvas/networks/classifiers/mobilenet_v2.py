"""MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381, table 2), width 1.0."""

from torch import nn

from ganvas.nn.blocks.inverted_residual import InvertedResidual
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.batch_norm import BatchNorm2d

INPUT = {"mobilenet_v2": (3, 224, 224)}
STAGES = (  # expansion t, channels c, blocks n, stride s of the first.
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v2() -> nn.Module:
    """The network of table 2; 1000 classes."""
    blocks, channels = [], 32
    for expansion, out_channels, count, stride in STAGES:
        for index in range(count):
            step = stride if index == 0 else 1
            blocks.append(InvertedResidual(channels, out_channels, expansion=expansion, stride=step))
            channels = out_channels
    return nn.Sequential(
        *(Conv2d(3, 32, 3, stride=2, padding=1, bias=False), BatchNorm2d(32), nn.ReLU6()),
        *blocks,
        *(Conv2d(channels, 1280, 1, bias=False), BatchNorm2d(1280), nn.ReLU6()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), Linear(1280, 1000, std=0.01)),
    )
