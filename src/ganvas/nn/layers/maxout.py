"""Maxout (Goodfellow, Warde-Farley, Mirza, Courville, Bengio 2013, https://arxiv.org/abs/1302.4389).

A unit is the largest of several linear maps. It learns the shape of its own nonlinearity, convex and made of pieces,
and passes a gradient everywhere, which suits dropout.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.layers.plain_layers import torch_linear


class Maxout(nn.Module):
    """``h_i(x) = max_j (x w_ij + b_ij)`` over ``pieces`` maps j; of one piece it is a linear layer.

    Weights and biases start as those of torch's linear layer.
    """

    def __init__(self, in_features: int, units: int, *, pieces: int = 5) -> None:
        super().__init__()
        self.pieces = pieces
        self.maps = torch_linear(in_features, units * pieces)

    def forward(self, x: Float[Tensor, "n f_in"]) -> Float[Tensor, "n units"]:
        if self.pieces == 1:
            return self.maps(x)
        return torch.amax(self.maps(x).unflatten(1, (-1, self.pieces)), dim=2)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"
