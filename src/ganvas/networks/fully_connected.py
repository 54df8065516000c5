"""Fully connected networks: hidden layers of one width with ReLU between them, of points or of flattened pictures."""

from itertools import pairwise

from torch import nn

from ganvas.nn.layers.plain_layers import torch_linear


class FullyConnected(nn.Sequential):
    """Hidden layers of one width with ReLU, and a linear one at the end, with a bias or without.

    Weights and biases start uniform, as torch's do: kinks of ReLUs begin all over the plane.
    """

    def __init__(self, inputs: int, outputs: int, *, width: int, depth: int, last_bias: bool = True) -> None:
        sizes = [inputs, *([width] * depth)]
        hidden = [layer for before, after in pairwise(sizes) for layer in (torch_linear(before, after), nn.ReLU())]
        super().__init__(*hidden, torch_linear(sizes[-1], outputs, bias=last_bias))
