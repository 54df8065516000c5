"""Neural spline flow: points are moved along splines that networks draw, and their density is known exactly.

Durkan, Bekasov, Murray, Papamakarios: Neural Spline Flows (NeurIPS 2019), https://arxiv.org/abs/1906.04032, with
couplings, RQ-NSF (C). An affine coupling stretches a half as a whole; a monotonic rational-quadratic spline
(:mod:`ganvas.nn.invertible.rational_quadratic`) can open a gap and close it again, so few steps reach modes that lie
apart. What no flow can do is tear: between modes some samples remain, at least as many as its steepest slope says
(docs/first-principles.md), and ``gap_mass`` beside ``gap_mass.bound`` shows them while it trains.

Departs from the paper:
- No linear map stands between couplings: halves take turns.
- Networks of couplings are plain, not residual. They see a number that is always 1 beside the other half, so that
  points of a single dimension, which have no other half, have a spline too.
- Points are brought to mean 0 and variance 1 in each dimension first, by numbers found on real points once.
- ``coupling="affine"`` scales and shifts a half in the place of splines, as Real NVP does with pictures (Dinh,
  Sohl-Dickstein, Bengio, ICLR 2017, https://arxiv.org/abs/1605.08803, section 3.2): what splines are held against.
  Scales are bounded (:mod:`ganvas.nn.invertible.moves`).
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.schedule import held_and_falling
from ganvas.losses.games.flow_game import PointFlowGame
from ganvas.networks.fully_connected import FullyConnected
from ganvas.nn.invertible.bijection import Bijection
from ganvas.nn.invertible.coupling import CouplingLayer
from ganvas.nn.invertible.moves import Move, ScaleThenShift, bounded_log_scale
from ganvas.nn.invertible.rational_quadratic import numbers_of_spline, spline_of

Rows = Float[Tensor, "n d"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the flow and its training; ours, for points in a few dimensions."""

    dims: int = 2  # Numbers of a point. Taken from the data.
    couplings: int = 6
    coupling: Literal["spline", "affine"] = "spline"  # How a half moves; "affine" makes a Real NVP of points.
    bins: int = 16  # Of a spline.
    bound: float = 4.0  # Splines move what lies in [-bound, bound] of points whose variance is 1.
    width: int = 64  # Of every hidden layer.
    depth: int = 2  # Hidden layers of a coupling's network.
    batch_size: int = 512
    lr: float = 2e-3
    hold_kimg: float = 0.0  # At the full learning rate, before it falls.
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line; 0 keeps it.
    beta1: float = 0.9
    beta2: float = 0.99
    average_decay: float = 0.0  # Of the weights, per step.

    def __post_init__(self) -> None:
        at_least(self, 1, "dims", "couplings", "width", "depth", "batch_size")
        at_least(self, 2, "bins")
        at_least(self, 0, "hold_kimg", "decay_kimg")
        above(self, 0, "bound", "lr")
        fractions(self, "beta1", "beta2", "average_decay")

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a learning rate that is 0 when the run ends."""
        hold_kimg, decay_kimg = held_and_falling(total_kimg)
        return replace(self, hold_kimg=hold_kimg, decay_kimg=decay_kimg)


TINY = Config(couplings=2, bins=3, width=8, depth=1, batch_size=8)


class HalfNetwork(nn.Module):
    """From one half of a point, which may be nothing, to what moves every number of the other."""

    def __init__(self, stays: int, moves: int, config: Config) -> None:
        super().__init__()
        self.moves = moves
        numbers = moves * (numbers_of_spline(config.bins) if config.coupling == "spline" else 2)
        self.layers = FullyConnected(stays + 1, numbers, width=config.width, depth=config.depth)

    def forward(self, stays: Rows) -> Float[Tensor, "n moves numbers"]:
        seen = torch.cat([stays, stays.new_ones(len(stays), 1)], 1)
        return self.layers(seen).unflatten(1, (self.moves, -1))


class Model(PointFlowGame[Config]):
    """Halves of a point that move each other along splines."""

    def __init__(self, config: Config) -> None:
        super().__init__(config, *(_coupling(config, number) for number in range(config.couplings)))


def _coupling(config: Config, number: int) -> Bijection:
    """Halves take turns; a point of one number has no other half, and moves each time."""
    halves = ((config.dims + 1) // 2, config.dims // 2)
    first_moves = number % 2 == 0 or config.dims == 1
    moves, stays = halves if first_moves else halves[::-1]
    return CouplingLayer(HalfNetwork(stays, moves, config), partial(move_of, config=config), first_moves=first_moves)


def move_of(said: Float[Tensor, "n moves numbers"], config: Config) -> Move:
    """From what the network of a coupling says to the move of the other half."""
    if config.coupling == "affine":
        return ScaleThenShift(said[..., 0], bounded_log_scale(said[..., 1]))
    return spline_of(said, bins=config.bins, bound=config.bound)
