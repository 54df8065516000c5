"""DenseNet-BC (Huang et al. 2017, https://arxiv.org/abs/1608.06993) and mixed link networks (Wang et al. 2018).

Every layer of a dense block reads what all layers before it have made. A mixed link network
(https://arxiv.org/abs/1802.01808; ``mixnet_<depth>_<k1>_<k2>``) also adds to the last k1 channels; with k1 = 0 it is
the DenseNet-BC, so both are made by one function here. Not the MixNet of mixed kernel sizes (Tan & Le 2019).
"""

from torch import nn

from ganvas.nn.blocks.mixed_link import dense_block, mixed_link_block, transition
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.batch_norm import BatchNorm2d

CIFAR = ("mixnet_100_12_12", "mixnet_250_24_24", "mixnet_190_40_40")
CIFAR_DENSE = ("densenet_bc_100_12", "densenet_bc_250_24", "densenet_bc_190_40")
INPUT = {**dict.fromkeys(CIFAR + CIFAR_DENSE, (3, 32, 32)), "densenet121": (3, 224, 224)}


def mixnet_100_12_12() -> nn.Module:
    """100 layers, k1 = k2 = 12."""
    return cifar_mixnet(100, 12, 12)


def mixnet_250_24_24() -> nn.Module:
    """250 layers, k1 = k2 = 24."""
    return cifar_mixnet(250, 24, 24)


def mixnet_190_40_40() -> nn.Module:
    """190 layers, k1 = k2 = 40."""
    return cifar_mixnet(190, 40, 40)


def densenet_bc_100_12() -> nn.Module:
    """100 layers, growth 12."""
    return cifar_mixnet(100, 0, 12)


def densenet_bc_250_24() -> nn.Module:
    """250 layers, growth 24."""
    return cifar_mixnet(250, 0, 24)


def densenet_bc_190_40() -> nn.Module:
    """190 layers, growth 40."""
    return cifar_mixnet(190, 0, 40)


def cifar_mixnet(depth: int, k1: int, k2: int, *, classes: int = 10) -> nn.Sequential:
    """6n + 4 layers: a convolution, three blocks of n mixed links with halving transitions between, a dense layer."""
    per_block = (depth - 4) // 6
    channels = max(2 * k2, k1)
    layers: list[nn.Module] = [Conv2d(3, channels, 3, padding=1, bias=False)]
    for block in range(3):
        if block:
            halved = max(channels // 2, k1)
            layers.append(transition(channels, halved))
            channels = halved
        layers.append(mixed_link_block(channels, k1, k2, per_block))
        channels += per_block * k2
    return nn.Sequential(*layers, *_head(channels, classes))


def densenet121() -> nn.Module:
    """121 layers, growth 32, for ImageNet (table 1)."""
    channels, growth = 64, 32
    stem = [Conv2d(3, channels, 7, stride=2, padding=3, bias=False), BatchNorm2d(channels), nn.ReLU()]
    layers: list[nn.Module] = [*stem, nn.MaxPool2d(3, 2, 1)]
    for index, count in enumerate((6, 12, 24, 16)):
        if index:
            layers.append(transition(channels, channels // 2))
            channels //= 2
        layers.append(dense_block(channels, growth, count))
        channels += count * growth
    return nn.Sequential(*layers, *_head(channels, 1000))


def _head(channels: int, classes: int) -> list[nn.Module]:
    return [BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(channels, classes)]
