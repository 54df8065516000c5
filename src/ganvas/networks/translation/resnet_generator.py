"""CycleGAN's generator with 9 residual blocks (Zhu et al. 2017, https://arxiv.org/abs/1703.10593, section 7.2).

After Johnson et al. 2016: two halvings, residual blocks, two doublings by transposed convolution, mirrored borders,
instance norm without parameters.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.plain_layers import Conv2d

INPUT = {"resnet_9blocks": (3, 256, 256), "resnet_6blocks": (3, 128, 128)}
STD = 0.02


def resnet_9blocks() -> nn.Module:
    """For pictures of 256 x 256 and more."""
    return generator(9)


def resnet_6blocks() -> nn.Module:
    """For pictures of 128 x 128."""
    return generator(6)


def generator(blocks: int, *, features: int = 64, channels: int = 3, out_channels: int = 3) -> nn.Sequential:
    """c7s1-64, d128, d256, ``blocks`` times R256, u128, u64, c7s1-3 in the paper's letters."""
    wide = 4 * features
    return nn.Sequential(
        *(nn.ReflectionPad2d(3), *_norm_relu(Conv2d(channels, features, 7, std=STD), features)),
        *_norm_relu(Conv2d(features, 2 * features, 3, stride=2, padding=1, std=STD), 2 * features),
        *_norm_relu(Conv2d(2 * features, wide, 3, stride=2, padding=1, std=STD), wide),
        *(Residual(_branch(wide)) for _ in range(blocks)),
        *_norm_relu(Doubling(wide, 2 * features), 2 * features),
        *_norm_relu(Doubling(2 * features, features), features),
        *(nn.ReflectionPad2d(3), Conv2d(features, out_channels, 7, std=STD), nn.Tanh()),
    )


class Doubling(nn.Module):
    """Transposed convolution of 3 x 3 from h to 2h: stride 2, and a row and a column more than padding 1 leaves."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = unset(in_channels, out_channels, 3, 3)
        self.bias = unset(out_channels)

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=STD)
        nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 2*h 2*w"]:
        weight, bias = filled(self.weight), filled(self.bias)
        return F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1)


def _branch(channels: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.ReflectionPad2d(1), *_norm_relu(Conv2d(channels, channels, 3, std=STD), channels)),
        *(nn.ReflectionPad2d(1), Conv2d(channels, channels, 3, std=STD), nn.InstanceNorm2d(channels)),
    )


def _norm_relu(convolution: nn.Module, channels: int) -> list[nn.Module]:
    return [convolution, nn.InstanceNorm2d(channels), nn.ReLU()]
