"""CycleGAN's generator with 9 residual blocks (Zhu et al. 2017, https://arxiv.org/abs/1703.10593, section 7.2).

After Johnson et al. 2016: two halvings, residual blocks, two doublings by transposed convolution, mirrored borders,
instance norm without parameters. With batch norm, the other choice of the authors' code, the convolutions before it
have no biases.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.picture_norm import PictureNorm2d

INPUT = {"resnet_9blocks": (3, 256, 256), "resnet_6blocks": (3, 128, 128)}
STD = 0.02
Norm = Callable[[int], nn.Module]


def resnet_9blocks() -> nn.Module:
    """For pictures of 256 x 256 and more."""
    return generator(9)


def resnet_6blocks() -> nn.Module:
    """For pictures of 128 x 128."""
    return generator(6)


def generator(
    blocks: int, *, features: int = 64, channels: int = 3, out_channels: int = 3, norm: Norm = nn.InstanceNorm2d
) -> nn.Sequential:
    """c7s1-64, d128, d256, ``blocks`` times R256, u128, u64, c7s1-3 in the paper's letters."""
    wide, bias = 4 * features, norm is not PictureNorm2d

    def normed(before: int, after: int, kernel: int, *, stride: int = 1, padding: int = 0) -> list[nn.Module]:
        convolution = Conv2d(before, after, kernel, stride=stride, padding=padding, bias=bias, std=STD)
        return [convolution, norm(after), nn.ReLU()]

    def doubled(before: int, after: int) -> list[nn.Module]:
        return [Doubling(before, after, bias=bias), norm(after), nn.ReLU()]

    def branch() -> nn.Sequential:
        first, (convolution, its_norm, _) = normed(wide, wide, 3), normed(wide, wide, 3)
        return nn.Sequential(nn.ReflectionPad2d(1), *first, nn.ReflectionPad2d(1), convolution, its_norm)

    return nn.Sequential(
        *(nn.ReflectionPad2d(3), *normed(channels, features, 7)),
        *normed(features, 2 * features, 3, stride=2, padding=1),
        *normed(2 * features, wide, 3, stride=2, padding=1),
        *(Residual(branch()) for _ in range(blocks)),
        *doubled(wide, 2 * features),
        *doubled(2 * features, features),
        *(nn.ReflectionPad2d(3), Conv2d(features, out_channels, 7, std=STD), nn.Tanh()),
    )


class Doubling(nn.Module):
    """Transposed convolution of 3 x 3 from h to 2h: stride 2, and a row and a column more than padding 1 leaves."""

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = unset(in_channels, out_channels, 3, 3)
        self.bias = unset(out_channels) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=STD)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 2*h 2*w"]:
        weight, bias = filled(self.weight), None if self.bias is None else filled(self.bias)
        return F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1)
