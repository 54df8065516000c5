"""Equalised learning rate (Karras et al. 2018, Progressive Growing of GANs, section 4.1).

Weights are kept at unit variance and scaled by He's constant at every call. Adam divides by the gradient's own scale,
so unscaled layers of different fan-in would learn at different speeds; after this they learn at the same speed.
https://arxiv.org/abs/1710.10196

Departs from the paper's first code (Theano), which measures the root mean square of a draw instead of using He's
constant itself; the two differ by the sampling error of that measurement.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.operand_checks import need_floats, need_pictures


class EqualizedConv2d(nn.Module):
    """Convolution by ``w c`` where ``w ~ N(0, 1)`` and ``c = gain / sqrt(fan_in)``, plus a bias that is not scaled.

    Args:
        kernel_size: Side of the kernel in pixels; odd where the image keeps its size.
        gain: He gain of what follows: sqrt(2) before a ReLU, 1 before nothing.
        equalized: False draws ``w ~ N(0, c^2)`` and uses it as it is: the same function at the start, another
            speed of learning (rows a to e of the paper's table 1).
        padding: Zeros on each side, or "same".
        stride: 1, or 2 where the side is halved; the padding is a number then.
        bias: False where a norm follows that has one.
        bias_gain: Times the bias: sqrt(2) where the gain belongs to the activation, as in Karras et al. 2020, so that
            ``gain (w x + b)`` is learnt and not ``gain w x + b``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        gain: float = math.sqrt(2),
        equalized: bool = True,
        padding: Literal["same"] | int = "same",
        stride: int = 1,
        bias: bool = True,
        bias_gain: float = 1.0,
    ) -> None:
        super().__init__()
        if padding == "same" and kernel_size % 2 == 0:
            raise UserError(
                f"kernel_size={kernel_size} is even, so no padding keeps the image's size evenly on both sides. "
                "Use an odd kernel, or say the padding as a number."
            )
        he = gain / math.sqrt(in_channels * kernel_size**2)
        self.std, self.scale = (1.0, he) if equalized else (he, 1.0)
        self.padding = kernel_size // 2 if padding == "same" else padding
        self.stride, self.bias_gain = stride, bias_gain
        self.weight = unset(out_channels, in_channels, kernel_size, kernel_size)
        self.bias = unset(out_channels) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=self.std)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h2 w2"]:
        need_pictures(x)
        weight = scaled(self.weight, self.scale, x.dtype)
        bias = None if self.bias is None else scaled(self.bias, self.bias_gain, x.dtype)
        return F.conv2d(x, weight, bias, self.stride, self.padding)

    def extra_repr(self) -> str:
        return describe(self.weight, self.scale)


class EqualizedLinear(nn.Module):
    """``x (w c)^T + b`` where ``w ~ N(0, 1)`` and ``c = gain / sqrt(in_features)``; arguments as the convolution's.

    Args:
        lr_multiplier: Weights and bias are kept so many times larger and scaled down in use: the same function at the
            start, which Adam moves ``lr_multiplier`` times as fast (Karras et al. 2019, StyleGAN, appendix C).
        bias_start: What is added at the start.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        gain: float = math.sqrt(2),
        equalized: bool = True,
        bias: bool = True,
        bias_gain: float = 1.0,
        bias_start: float = 0.0,
        lr_multiplier: float = 1.0,
    ) -> None:
        super().__init__()
        he = gain / math.sqrt(in_features)
        self.std, self.scale = (1.0, he) if equalized else (he, 1.0)
        self.std, self.scale = self.std / lr_multiplier, self.scale * lr_multiplier
        self.bias_gain, self.bias_start = bias_gain * lr_multiplier, bias_start
        self.weight = unset(out_features, in_features)
        self.bias = unset(out_features) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=self.std)
        if self.bias is not None:
            nn.init.constant_(self.bias, self.bias_start / self.bias_gain)

    def forward(self, x: Float[Tensor, "n f_in"]) -> Float[Tensor, "n f_out"]:
        need_floats(x)
        bias = None if self.bias is None else scaled(self.bias, self.bias_gain, x.dtype)
        return F.linear(x, scaled(self.weight, self.scale, x.dtype), bias)

    def extra_repr(self) -> str:
        return describe(self.weight, self.scale)


def scaled(weight: Tensor, scale: float, dtype: torch.dtype) -> Tensor:
    """The weight that is used: scaled in its own precision first, so that bfloat16 rounds once."""
    weight = filled(weight)
    return (weight if scale == 1.0 else weight * scale).to(dtype)


def describe(weight: Tensor, scale: float) -> str:
    """What a printed network says of a layer: shape (out, in, ...) and run-time scale."""
    return f"{tuple(weight.shape)}, scale={scale:.4g}"
