"""The coupling layer over halves: the first half of the channels says how the second is moved, or the other way round.

Dinh, Krueger, Bengio: NICE (2014), section 3.2, https://arxiv.org/abs/1410.8516.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import PerSample
from ganvas.nn.invertible.bijection import Bijection, BijectionChain, sum_per_sample
from ganvas.nn.invertible.moves import Move

Samples = Float[Tensor, "n c *places"]


class CouplingLayer(Bijection):
    """``(a, b) -> (a, move(network(a))(b))`` with a and b the halves of the channels.

    Args:
        network: From one half to what ``move`` wants to know.
        move: From the network's answer to the move of the other half.
        first_moves: The halves change places. Of an odd number of channels the first half is the larger.
        norm: What normalises the half that has moved.
    """

    def __init__(
        self,
        network: nn.Module,
        move: Callable[[Any], Move],
        *,
        first_moves: bool = False,
        norm: Bijection | None = None,
    ) -> None:
        super().__init__()
        self.network, self.move, self.first_moves = network, move, first_moves
        self.norm = norm or BijectionChain()

    def forward(self, x: Samples) -> tuple[Samples, PerSample]:
        stays, moves = self._halves(x)
        moved, log_slopes = self.move(self.network(stays)).forward(moves)
        moved, log_det = self.norm(moved)
        return self._joined(stays, moved), log_det + sum_per_sample(log_slopes)

    def inverse(self, y: Samples) -> Samples:
        stays, moved = self._halves(y)
        return self._joined(stays, self.move(self.network(stays)).inverse(self.norm.inverse(moved)))

    def _halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The half that stays and the one that moves."""
        first, second = x.tensor_split([(x.shape[1] + 1) // 2], 1)
        return (second, first) if self.first_moves else (first, second)

    def _joined(self, stays: Tensor, moved: Tensor) -> Tensor:
        return torch.cat([moved, stays] if self.first_moves else [stays, moved], 1)
