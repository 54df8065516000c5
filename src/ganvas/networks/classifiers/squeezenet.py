"""SqueezeNet 1.0 and 1.1 (Iandola et al. 2016, https://arxiv.org/abs/1602.07360): AlexNet's accuracy, 1/50 of its size.

1.1 is the authors' later form: a smaller first convolution and earlier pooling, 2.4 times less computation.
"""

from torch import nn

from ganvas.nn.blocks.fire import Fire
from ganvas.nn.layers.plain_layers import Conv2d

INPUT = {"squeezenet1_0": (3, 224, 224), "squeezenet1_1": (3, 224, 224)}


def squeezenet1_0() -> nn.Module:
    """Table 1 of the paper; 1000 classes."""
    return nn.Sequential(
        *(Conv2d(3, 96, 7, stride=2), nn.ReLU(), _pool()),
        *(Fire(96, 16, 64, 64), Fire(128, 16, 64, 64), Fire(128, 32, 128, 128), _pool()),
        *(Fire(256, 32, 128, 128), Fire(256, 48, 192, 192), Fire(384, 48, 192, 192), Fire(384, 64, 256, 256), _pool()),
        *(Fire(512, 64, 256, 256), *_classifier()),
    )


def squeezenet1_1() -> nn.Module:
    """The authors' release of the same year; 1000 classes."""
    return nn.Sequential(
        *(Conv2d(3, 64, 3, stride=2), nn.ReLU(), _pool()),
        *(Fire(64, 16, 64, 64), Fire(128, 16, 64, 64), _pool()),
        *(Fire(128, 32, 128, 128), Fire(256, 32, 128, 128), _pool()),
        *(Fire(256, 48, 192, 192), Fire(384, 48, 192, 192), Fire(384, 64, 256, 256), Fire(512, 64, 256, 256)),
        *_classifier(),
    )


def _pool() -> nn.Module:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def _classifier() -> list[nn.Module]:
    """A 1 x 1 convolution to the classes and the mean over all places; there is no dense layer."""
    return [nn.Dropout(), Conv2d(512, 1000, 1, std=0.01), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
