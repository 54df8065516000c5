"""Convolutions of all seeds at once: their maps stand side by side as groups of channels.

Each is one grouped convolution; poolings and batch norm keep channels apart, so they keep seeds apart as well.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

from ganvas.claims.batched.stacks import Generators, Stack, normal

OF_ROWS = "batch norm by the rows at hand, in tests as well"  # What ``activated`` does, in the scope of a claim.

Maps = Float[Tensor, "_n _seeds_channels _h _w"]


@dataclass(frozen=True, kw_only=True)
class SeedwiseConvolution:
    """Weights (seeds * out, into, k, k) and biases of one convolution of every seed; an odd kernel keeps the size."""

    weight: Tensor
    bias: Tensor
    seeds: int

    def __call__(self, x: Maps, *, stride: int = 1, rate: int = 1) -> Maps:
        padding = rate * (self.weight.shape[-1] - 1) // 2
        return F.conv2d(x, self.weight, self.bias, stride, padding, rate, self.seeds)


class Convolutions:
    """Makes the layers of a network, and keeps their weights for an optimiser."""

    def __init__(self, generators: Generators) -> None:
        self.stack: Stack = []
        self.generators = generators

    def __call__(self, into: int, out: int, kernel: int = 3) -> SeedwiseConvolution:
        """A layer with weights of He's variance."""
        weight = normal(self.generators, out, into, kernel, kernel).flatten(0, 1) * (2 / (into * kernel**2)) ** 0.5
        bias = torch.zeros(len(weight))
        self.stack += [weight.requires_grad_(), bias.requires_grad_()]
        return SeedwiseConvolution(weight=weight, bias=bias, seeds=len(self.generators))


def side_by_side(x: Shaped[Tensor, "seeds n c h w"]) -> Shaped[Tensor, "n seeds_channels h w"]:
    """Seeds as groups of channels."""
    return x.transpose(0, 1).flatten(1, 2)


def apart(x: Shaped[Tensor, "n seeds_channels h w"], seeds: int) -> Shaped[Tensor, "seeds n c h w"]:
    """Groups of channels as seeds."""
    return x.unflatten(1, (seeds, -1)).transpose(0, 1)


def activated(x: Maps) -> Maps:
    """Batch norm by the statistics of the rows that are given, without weights of its own, and a ReLU."""
    return torch.relu(F.batch_norm(x, None, None, training=True))
