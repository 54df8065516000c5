"""Layers whose weights are used as they are drawn: convolutions, transposed convolution and linear map.

They differ from torch's own in their start alone, which is a function of one generator (``initialise``): weights are
N(0, std^2), biases 0. A ``std`` of None is He's constant for what follows a ReLU, ``sqrt(2 / fan_in)`` (He et al.
2015, eq. 10, https://arxiv.org/abs/1502.01852); the fan-in is the number of inputs that one output is a sum of.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.operand_checks import need_floats, need_pictures

Kernel = int | tuple[int, int]  # Side of a square, or height and width.
NARROW = 8  # Channels below which torch 2.13 writes beyond its memory, see Conv2d.


class Conv2d(nn.Module):
    """Convolution with zeros around the picture; a side of h becomes ``(h + 2 padding - kernel) // stride + 1``,
    where a kernel of k pixels that are ``dilation`` apart counts as ``dilation (k - 1) + 1``.

    A kernel of one pixel with a stride takes the pixels first where there are fewer than 8 channels: on a CPU, torch
    2.13 writes beyond its memory in the backward pass of such a convolution of channels that are last (crashes with 2,
    3, 4, 6 and 7, none with 8 and more).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Kernel,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        bias: bool = True,
        std: float | None = None,
    ) -> None:
        super().__init__()
        height, width = _sides(kernel_size)
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.std = math.sqrt(2 / (in_channels * height * width)) if std is None else std
        self.weight = unset(out_channels, in_channels, height, width)
        self.bias = unset(out_channels) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        _draw(self.weight, self.bias, generator, std=self.std)

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h2 w2"]:
        need_pictures(x)
        stride = self.stride
        if stride > 1 and self.padding == 0 and self.weight.shape[1] < NARROW and self.weight.shape[2:] == (1, 1):
            x, stride = x[:, :, ::stride, ::stride], 1
        how = {"stride": stride, "padding": self.padding, "dilation": self.dilation}
        return F.conv2d(x, *_like(x, self.weight, self.bias), **how)

    def extra_repr(self) -> str:
        return f"{tuple(self.weight.shape)}, stride={self.stride}, padding={self.padding}"


class Conv1d(nn.Module):
    """Convolution along a row, with zeros at its ends; a length of l becomes ``l + 2 padding - kernel + 1``."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        padding: int = 0,
        bias: bool = True,
        std: float | None = None,
    ) -> None:
        super().__init__()
        self.padding = padding
        self.std = math.sqrt(2 / (in_channels * kernel_size)) if std is None else std
        self.weight = unset(out_channels, in_channels, kernel_size)
        self.bias = unset(out_channels) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        _draw(self.weight, self.bias, generator, std=self.std)

    def forward(self, x: Float[Tensor, "n c_in l"]) -> Float[Tensor, "n c_out l2"]:
        need_floats(x)
        return F.conv1d(x, *_like(x, self.weight, self.bias), padding=self.padding)

    def extra_repr(self) -> str:
        return f"{tuple(self.weight.shape)}"


class ConvTranspose2d(nn.Module):
    """Transposed convolution; a side of h becomes ``(h - 1) stride - 2 padding + kernel``.

    Every output is a sum over ``kernel / stride`` inputs along each side, the fan-in of He's constant.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Kernel,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        std: float | None = None,
    ) -> None:
        super().__init__()
        height, width = _sides(kernel_size)
        self.stride, self.padding = stride, padding
        self.std = math.sqrt(2 * stride**2 / (in_channels * height * width)) if std is None else std
        self.weight = unset(in_channels, out_channels, height, width)
        self.bias = unset(out_channels) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        _draw(self.weight, self.bias, generator, std=self.std)

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h2 w2"]:
        need_pictures(x)
        return F.conv_transpose2d(x, *_like(x, self.weight, self.bias), stride=self.stride, padding=self.padding)

    def extra_repr(self) -> str:
        return f"{tuple(self.weight.shape)}, stride={self.stride}, padding={self.padding}"


class Linear(nn.Module):
    """``x w^T + b``."""

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True, std: float | None = None) -> None:
        super().__init__()
        self.std = math.sqrt(2 / in_features) if std is None else std
        self.weight = unset(out_features, in_features)
        self.bias = unset(out_features) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        _draw(self.weight, self.bias, generator, std=self.std)

    def forward(self, x: Float[Tensor, "n f_in"]) -> Float[Tensor, "n f_out"]:
        need_floats(x)
        return F.linear(x, *_like(x, self.weight, self.bias))

    def extra_repr(self) -> str:
        return f"{tuple(self.weight.shape)}"


def torch_linear(in_features: int, out_features: int, *, bias: bool = True) -> nn.Linear:
    """torch's layer with torch's start, uniform weights and biases, which :func:`initialise` draws; here none is drawn.

    ``torch.nn.utils.skip_init`` makes the same, and loads a package for symbols on the way, for half a second.
    """
    layer = nn.Linear(in_features, out_features, bias=bias, device="meta")
    for name, parameter in list(layer.named_parameters()):
        setattr(layer, name, nn.Parameter(torch.empty(parameter.shape)))
    return layer


def _draw(weight: nn.Parameter, bias: nn.Parameter | None, generator: torch.Generator, *, std: float) -> None:
    normal_(weight, generator, std=std)
    if bias is not None:
        nn.init.zeros_(bias)


def _like(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Weight and bias in the precision of the activations."""
    weight, bias = filled(weight), filled(bias)
    return weight.to(x.dtype), None if bias is None else bias.to(x.dtype)


def _sides(kernel: Kernel) -> tuple[int, int]:
    return (kernel, kernel) if isinstance(kernel, int) else kernel
