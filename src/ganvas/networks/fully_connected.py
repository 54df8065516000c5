"""Fully connected networks: hidden layers of one width with ReLU between them, of points or of flattened pictures."""

from itertools import pairwise

from torch import nn


class FullyConnected(nn.Sequential):
    """Hidden layers of one width with ReLU, and a linear one at the end, with a bias or without."""

    def __init__(self, inputs: int, outputs: int, *, width: int, depth: int, last_bias: bool = True) -> None:
        sizes = [inputs, *([width] * depth)]
        hidden = [layer for before, after in pairwise(sizes) for layer in (_linear(before, after), nn.ReLU())]
        super().__init__(*hidden, _linear(sizes[-1], outputs, bias=last_bias))


def _linear(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    """torch's layer with its uniform start of weights and biases: kinks of ReLUs begin all over the plane.

    It draws nothing when it is made; the start comes from the run's seed.
    """
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=bias)
    assert isinstance(layer, nn.Linear)
    return layer
