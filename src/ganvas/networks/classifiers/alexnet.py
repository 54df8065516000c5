"""AlexNet (Krizhevsky et al. 2012, ImageNet classification with deep convolutional neural networks).

Two groups in the second, fourth and fifth convolutions (two GPUs), local response normalisation after the first two,
overlapping maxima over 3 x 3. The input is 227 x 227: with the paper's 224 the first layer does not come out at 55.
https://papers.nips.cc/paper/4824
"""

from torch import nn

from ganvas.nn.layers.grouped_conv import GroupedConv2d
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.lrn import LocalResponseNorm

INPUT = {"alexnet": (3, 227, 227)}


def alexnet() -> nn.Module:
    """The network of the paper; 1000 classes."""
    return nn.Sequential(
        *(Conv2d(3, 96, 11, stride=4, std=0.01), nn.ReLU(), _norm(), nn.MaxPool2d(3, 2)),
        *(GroupedConv2d(96, 256, 5, padding=2, groups=2, std=0.01), nn.ReLU(), _norm(), nn.MaxPool2d(3, 2)),
        *(Conv2d(256, 384, 3, padding=1, std=0.01), nn.ReLU()),
        *(GroupedConv2d(384, 384, 3, padding=1, groups=2, std=0.01), nn.ReLU()),
        *(GroupedConv2d(384, 256, 3, padding=1, groups=2, std=0.01), nn.ReLU(), nn.MaxPool2d(3, 2)),
        nn.Flatten(),
        *(Linear(256 * 6 * 6, 4096, std=0.01), nn.ReLU(), nn.Dropout()),
        *(Linear(4096, 4096, std=0.01), nn.ReLU(), nn.Dropout()),
        Linear(4096, 1000, std=0.01),
    )


def _norm() -> nn.Module:
    """k = 2, n = 5, alpha = 1e-4, beta = 0.75 (section 3.3); the paper's alpha is not divided by n."""
    return LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
