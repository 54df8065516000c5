"""NICE's network: additive couplings of fully connected networks over interleaved halves, and a scale for each number.

Dinh, Krueger, Bengio: NICE: Non-linear Independent Components Estimation (2014), section 5,
https://arxiv.org/abs/1410.8516: pictures are rows of numbers; those at odd and at even places are the two halves. The
only change of volume is the diagonal scale at the end, ``exp(s)`` (section 3.3).
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.sample_sizes.picture_size import DoubledSize, WholeSize
from ganvas.core.shapes import Images, PerSample
from ganvas.networks.fully_connected import FullyConnected
from ganvas.nn.invertible.bijection import Bijection, BijectionChain, no_change
from ganvas.nn.invertible.colour_range import UnitRange
from ganvas.nn.invertible.coupling import CouplingLayer
from ganvas.nn.invertible.logistic_numbers import LogisticToNormal
from ganvas.nn.invertible.moves import Shift
from ganvas.nn.layers.initialise import filled, unset

Rows = Float[Tensor, "n d"]
Prior = Literal["logistic", "normal"]


class Interleaved(Bijection):
    """Pictures (n, c, h, w) as rows (n, d): numbers at even places first, then those at odd ones."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Images) -> tuple[Rows, PerSample]:
        flat = x.flatten(1)
        return torch.cat([flat[:, 0::2], flat[:, 1::2]], 1), no_change(x)

    def inverse(self, y: Rows) -> Images:
        flat = torch.empty_like(y)
        flat[:, 0::2], flat[:, 1::2] = y.tensor_split([(y.shape[1] + 1) // 2], 1)
        return flat.view(-1, *self.shape)


class DiagonalScale(Bijection):
    """``y = x exp(s)``, with a learnt s for each number (section 3.3)."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.log_scale = unset(dimensions)

    def reset(self, generator: torch.Generator) -> None:
        """Scales of 1; draws nothing."""
        nn.init.zeros_(self.log_scale)

    def forward(self, x: Rows) -> tuple[Rows, PerSample]:
        log_scale = filled(self.log_scale)
        return x * log_scale.exp(), no_change(x) + log_scale.sum()

    def inverse(self, y: Rows) -> Rows:
        return y * (-self.log_scale).exp()


def nice(
    picture: DoubledSize | WholeSize, *, couplings: int, width: int, depth: int, prior: Prior = "logistic"
) -> Bijection:
    """The whole flow, from pictures in [-1, 1] to latents (n, c h w) of N(0, I).

    Args:
        prior: What the couplings' output is scored by; a logistic one is turned into a normal one at the end.
    """
    shape = (picture.channels, *picture.size)
    dimensions = shape[0] * shape[1] * shape[2]
    halves = ((dimensions + 1) // 2, dimensions // 2)
    steps = []
    for number in range(couplings):
        stays, moves = halves if number % 2 == 0 else halves[::-1]
        network = FullyConnected(stays, moves, width=width, depth=depth)
        steps.append(CouplingLayer(network, Shift, first_moves=number % 2 == 1))
    last = [LogisticToNormal()] if prior == "logistic" else []
    return BijectionChain(UnitRange(), Interleaved(shape), *steps, DiagonalScale(dimensions), *last)
