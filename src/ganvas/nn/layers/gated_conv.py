"""Gated convolution (Yu et al. 2019, Free-form image inpainting, section 3.1, https://arxiv.org/abs/1806.03589).

An ordinary convolution takes the pixels of a hole as seriously as those of the picture. Here a second convolution
learns, for every place and channel, how much of the first to let through.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.layers.grouped_conv import GroupedConv2d


class GatedConv2d(nn.Module):
    """``phi(W_f x + b_f) sigmoid(W_g x + b_g)`` (eq. 2); the two convolutions are done as one, features first.

    Args:
        out_channels: That come out; the convolution has twice as many, and so twice the parameters.
        dilation: Distance of neighbouring taps, for a wide view at one resolution.
        activation: phi; the authors' code has an ELU.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        activation: Callable[[Tensor], Tensor] = F.elu,
        std: float | None = None,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.convolution = GroupedConv2d(
            in_channels, 2 * out_channels, kernel_size, stride=stride, padding=padding, dilation=dilation, std=std
        )

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h2 w2"]:
        features, gates = _halves(self.convolution(x))
        return self.activation(features) * torch.sigmoid(gates)


def _halves(y: Float[Tensor, "n c2 h w"]) -> tuple[Tensor, Tensor]:
    """Features and gates.

    Of a channels-last map on a CPU they are copied: an exponential of short runs of numbers takes three times as long.
    """
    features, gates = y.chunk(2, dim=1)
    if y.device.type != "cpu" or not y.is_contiguous(memory_format=torch.channels_last):
        return features, gates
    layout = {"memory_format": torch.channels_last}
    return features.contiguous(**layout), gates.contiguous(**layout)
