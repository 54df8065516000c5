"""Glow's convolutions: with a channel that tells where the picture ends, ones that start at zero, and three in a row.

Kingma, Dhariwal: Glow (NeurIPS 2018), https://arxiv.org/abs/1807.03039, as in the authors' code
(https://github.com/openai/glow).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.nn.invertible.actnorm import Actnorm
from ganvas.nn.layers.initialise import filled, unset
from ganvas.nn.layers.plain_layers import Conv2d

WEIGHT_STD = 0.05
LOG_FACTOR = 3.0  # Of stored logarithms of scales, in convolutions that start at zero.

Maps = Float[Tensor, "n c h w"]


class EdgedConv(nn.Module):
    """A 3x3 convolution with zeros around the picture and, with ``edges``, a channel that is 1 there and 0 inside."""

    def __init__(self, in_channels: int, out_channels: int, *, edges: bool, std: float, bias: bool) -> None:
        super().__init__()
        self.edges = edges
        self.conv = Conv2d(in_channels + edges, out_channels, 3, std=std, bias=bias)

    def forward(self, x: Maps) -> Float[Tensor, "n c2 h w"]:
        padded = F.pad(x, (1, 1, 1, 1))
        if self.edges:
            edge = F.pad(torch.zeros_like(x[:, :1]), (1, 1, 1, 1), value=1.0)
            padded = torch.cat([padded, edge], 1)
        return self.conv(padded)


class ZeroConv(nn.Module):
    """``(conv(x) + bias) exp(3 logs)``, all of it zero at the start."""

    def __init__(self, in_channels: int, out_channels: int, *, edges: bool) -> None:
        super().__init__()
        self.conv = EdgedConv(in_channels, out_channels, edges=edges, std=0.0, bias=True)
        self.logs = unset(out_channels)

    def reset(self, generator: torch.Generator) -> None:
        """Scales of 1; draws nothing."""
        nn.init.zeros_(self.logs)

    def forward(self, x: Maps) -> Float[Tensor, "n c2 h w"]:
        return self.conv(x) * (LOG_FACTOR * filled(self.logs)).exp().view(1, -1, 1, 1)


class CouplingNetwork(nn.Module):
    """3x3, 1x1, 3x3: two layers of features with actnorm and ReLU, and a last one that starts at zero."""

    def __init__(self, inputs: int, outputs: int, *, features: int, edges: bool) -> None:
        super().__init__()
        self.first = EdgedConv(inputs, features, edges=edges, std=WEIGHT_STD, bias=False)
        self.first_norm = Actnorm(features)
        self.second = Conv2d(features, features, 1, std=WEIGHT_STD, bias=False)
        self.second_norm = Actnorm(features)
        self.last = ZeroConv(features, outputs, edges=edges)

    def forward(self, x: Maps) -> Float[Tensor, "n c2 h w"]:
        x = self.first_norm(self.first(x))[0].relu()
        x = self.second_norm(self.second(x))[0].relu()
        return self.last(x)
