"""A SAGAN of 128 x 128 pictures (Zhang et al. 2019, https://arxiv.org/abs/1805.08318), unconditional.

Residual blocks with spectral normalisation in both networks and one attention at 32 x 32. The paper's network has
class-conditional batch norm in the generator and a projection of the class in the discriminator; these have neither.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import nn

from ganvas.core.shapes import Images, Latents, PerSample
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.blocks.self_attention import SelfAttention2d
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.spectral_norm import SpectralNorm

INPUT = {"sagan_generator": (128,), "sagan_discriminator": (3, 128, 128)}
MAPS = (1024, 1024, 512, 256, 128, 64)  # From 4 x 4 to 128 x 128.


def sagan_generator() -> nn.Module:
    """Latents of 128 numbers in; pictures of 128 x 128 out."""
    return Generator()


def sagan_discriminator() -> nn.Module:
    """Pictures of 128 x 128 in; one score each out."""
    return Discriminator()


class Generator(nn.Module):
    """A dense layer to 4 x 4, five blocks that double, attention after the third."""

    def __init__(self) -> None:
        super().__init__()
        self.first = SpectralNorm(Linear(128, MAPS[0] * 16))
        blocks = [_doubling(before, after) for before, after in pairwise(MAPS)]
        attention = SelfAttention2d(MAPS[3], pool=True, wrap=SpectralNorm)
        self.blocks = nn.Sequential(*blocks[:3], attention, *blocks[3:])
        self.last = nn.Sequential(BatchNorm2d(MAPS[-1]), nn.ReLU(), _convolution(MAPS[-1], 3), nn.Tanh())

    def forward(self, z: Latents) -> Images:
        x = self.first(z).unflatten(1, (MAPS[0], 4, 4))
        return self.last(self.blocks(x))


class Discriminator(nn.Module):
    """Five blocks that halve, attention after the second, one that does not, a sum over places, a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        maps = MAPS[::-1]
        blocks = [_halving(before, after) for before, after in pairwise(maps[:-1])]
        attention = SelfAttention2d(maps[1], pool=True, wrap=SpectralNorm)
        last = _halving(maps[-2], maps[-1], halve=False)
        self.blocks = nn.Sequential(_first(3, maps[0]), blocks[0], attention, *blocks[1:], last)
        self.score = SpectralNorm(Linear(maps[-1], 1))

    def forward(self, images: Images) -> PerSample:
        return self.score(F.relu(self.blocks(images)).sum((2, 3))).flatten()


def _doubling(before: int, after: int) -> Residual:
    branch = nn.Sequential(
        *(BatchNorm2d(before), nn.ReLU(), nn.Upsample(scale_factor=2.0), _convolution(before, after)),
        *(BatchNorm2d(after), nn.ReLU(), _convolution(after, after)),
    )
    return Residual(branch, shortcut=nn.Sequential(nn.Upsample(scale_factor=2.0), _convolution(before, after, 1)))


def _halving(before: int, after: int, *, halve: bool = True) -> Residual:
    pool = [nn.AvgPool2d(2)] if halve else []
    branch = [nn.ReLU(), _convolution(before, after), nn.ReLU(), _convolution(after, after), *pool]
    shortcut = nn.Identity() if before == after and not halve else nn.Sequential(_convolution(before, after, 1), *pool)
    return Residual(nn.Sequential(*branch), shortcut=shortcut)


def _first(before: int, after: int) -> Residual:
    """Without a ReLU on the picture itself."""
    branch = nn.Sequential(_convolution(before, after), nn.ReLU(), _convolution(after, after), nn.AvgPool2d(2))
    return Residual(branch, shortcut=nn.Sequential(nn.AvgPool2d(2), _convolution(before, after, 1)))


def _convolution(before: int, after: int, kernel: int = 3) -> SpectralNorm:
    return SpectralNorm(Conv2d(before, after, kernel, padding=kernel // 2))
