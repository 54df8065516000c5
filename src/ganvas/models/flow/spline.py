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
"""

from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.schedule import Steady, held_then_linear
from ganvas.core.shapes import PerSample
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.flow_game import FlowGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.fully_connected import FullyConnected
from ganvas.nn.invertible.bijection import Bijection, BijectionChain, no_change
from ganvas.nn.invertible.coupling import CouplingLayer
from ganvas.nn.invertible.rational_quadratic import numbers_of_spline, spline_of

Rows = Float[Tensor, "n d"]
DECAY_SHARE = 0.5  # Of a run whose length is known, over which the learning rate falls.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the flow and its training; ours, for points in a few dimensions."""

    dims: int = 2  # Numbers of a point. Taken from the data.
    couplings: int = 6
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
        decay = DECAY_SHARE * total_kimg
        return replace(self, hold_kimg=total_kimg - decay, decay_kimg=decay)


TINY = Config(couplings=2, bins=3, width=8, depth=1, batch_size=8)


class Centred(Bijection):
    """Points at mean 0 and variance 1 in each dimension, by numbers found on real points once."""

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


class SplineNetwork(nn.Module):
    """From one half of a point, which may be nothing, to the numbers of a spline for every number of the other."""

    def __init__(self, stays: int, moves: int, config: Config) -> None:
        super().__init__()
        self.moves = moves
        numbers = moves * numbers_of_spline(config.bins)
        self.layers = FullyConnected(stays + 1, numbers, width=config.width, depth=config.depth)

    def forward(self, stays: Rows) -> Float[Tensor, "n moves numbers"]:
        seen = torch.cat([stays, stays.new_ones(len(stays), 1)], 1)
        return self.layers(seen).unflatten(1, (self.moves, -1))


class Model(FlowGame[Config, Points]):
    """One flow, one player, one loss: the negative log-likelihood of points, in nats."""

    takes = (Points,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        couplings = (_coupling(config, number) for number in range(config.couplings))
        self.flow = BijectionChain(Centred(config.dims), *couplings)

    @property
    def latent_size(self) -> int:
        """Numbers of a point."""
        return self.config.dims

    def schedule(self) -> Steady:
        """One batch size; a learning rate that is held and then falls."""
        config = self.config
        return held_then_linear(
            batch_size=config.batch_size, lr=config.lr, hold_kimg=config.hold_kimg, decay_kimg=config.decay_kimg
        )

    def phases(self) -> list[Phase[Points]]:
        """The flow descends the negative log-likelihood."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        return [
            Phase(name="F", player=self.flow, loss=self._loss, optimizer=adam, average=config.average_decay or None)
        ]

    def _loss(self, batch: Points) -> Terms:
        return {"nats": -self.log_density(batch.points)}

    @torch.no_grad()
    def calibrate(self, batch: Points) -> None:
        """Finds where real points lie, and how far apart, of the whole batch on every rank."""
        points = batch.points.double()
        middle = points.mean(0)
        batch.ranks.average_([middle])
        variance = (points - middle).square().mean(0)
        batch.ranks.average_([variance])
        assert isinstance(self.flow, BijectionChain)
        centred = self.flow.steps[0]
        assert isinstance(centred, Centred)
        centred.middle.copy_(middle)
        centred.spread.copy_(variance.sqrt().clamp_min(torch.finfo(torch.float32).tiny))


def _coupling(config: Config, number: int) -> Bijection:
    """Halves take turns; a point of one number has no other half, and moves each time."""
    halves = ((config.dims + 1) // 2, config.dims // 2)
    first_moves = number % 2 == 0 or config.dims == 1
    moves, stays = halves if first_moves else halves[::-1]
    move = partial(spline_of, bins=config.bins, bound=config.bound)
    return CouplingLayer(SplineNetwork(stays, moves, config), move, first_moves=first_moves)
