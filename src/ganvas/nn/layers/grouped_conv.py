"""Convolution whose outputs see only a group of the inputs, at a distance from each other if wanted.

With as many groups as channels it is the depthwise convolution of Howard et al. 2017 (MobileNets,
https://arxiv.org/abs/1704.04861); with two, the first convolution over two GPUs (Krizhevsky et al. 2012, section
3.2); with a dilation above 1, the convolution with holes of Yu & Koltun 2016 (https://arxiv.org/abs/1511.07122).
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.operand_checks import need_pictures


class GroupedConv2d(nn.Module):
    """Convolution with zeros around the picture; a side of h becomes ``(h + 2 p - d (k - 1) - 1) // stride + 1``.

    Args:
        groups: Inputs and outputs are cut into so many groups, and each output sees its own group of inputs.
        dilation: Distance d of neighbouring taps in pixels.
        std: Of the starting weights; None is He's ``sqrt(2 / fan_in)`` with the fan-in of one group.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        groups: int = 1,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        std: float | None = None,
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise UserError(
                f"{in_channels} channels in and {out_channels} out cannot be cut into {groups} equal groups. "
                f"A divisor of {math.gcd(in_channels, out_channels)} would do."
            )
        self.groups, self.stride, self.padding, self.dilation = groups, stride, padding, dilation
        self.std = math.sqrt(2 * groups / (in_channels * kernel_size**2)) if std is None else std
        self.weight = unset(out_channels, in_channels // groups, kernel_size, kernel_size)
        self.bias = unset(out_channels) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=self.std)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h2 w2"]:
        need_pictures(x)
        bias = None if self.bias is None else filled(self.bias).to(x.dtype)
        weight = filled(self.weight).to(x.dtype)
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        options = f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, groups={self.groups}"
        return f"{tuple(self.weight.shape)}, {options}"
