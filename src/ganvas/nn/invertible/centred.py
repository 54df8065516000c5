"""Points brought to mean 0 and variance 1 in each dimension, as the first step of a flow."""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import PerSample
from ganvas.nn.invertible.bijection import Bijection, no_change

Rows = Float[Tensor, "n d"]


class Centred(Bijection):
    """``(x - middle) / spread``, by numbers found on real points once."""

    middle: Tensor
    spread: Tensor

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(dims))
        self.register_buffer("spread", torch.ones(dims))

    def forward(self, x: Rows) -> tuple[Rows, PerSample]:
        return (x - self.middle) / self.spread, no_change(x) - self.spread.log().sum()

    def inverse(self, y: Rows) -> Rows:
        return y * self.spread + self.middle
