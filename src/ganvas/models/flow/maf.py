"""Masked autoregressive flow: the numbers before it say how a number of a point is shifted and scaled, layer by layer.

Papamakarios, Pavlakou, Murray: Masked Autoregressive Flow for Density Estimation (NeurIPS 2017),
https://arxiv.org/abs/1705.07057. A MADE (:mod:`ganvas.networks.masked_network`) gives every number a normal law, given
those before it; how many deviations each lies from its mean are the numbers that the next one models, with the order
turned round (section 3.1). All of it is one pass, so the density is exact and quick. The way back is slow: a number
needs those before it, so each layer takes as many passes as a point has numbers.

Departs from the paper and its code (github.com/gpapamak/maf):
- Batch normalisation between layers has no scale and shift of its own (the layer after it has both), and what is drawn
  and measured has running statistics in the place of those of all training points. ``norm="actnorm"`` takes what
  Glow does (Kingma & Dhariwal 2018): set once from data, then learnt, so that no point's density depends on others.
- None stands after the last layer: what comes out is learnt to be normal anyway.
- Logarithms of deviations are bounded, so that points far away have a density too (:mod:`ganvas.nn.invertible.moves`).
- Points are brought to mean 0 and variance 1 in each dimension first, by numbers found on real points once.
- Weights are not penalised, and no early stop chooses the best.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.schedule import held_and_falling
from ganvas.core.shapes import PerSample
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.games.flow_game import PointFlowGame
from ganvas.networks.masked_network import MaskedNetwork
from ganvas.nn.invertible.actnorm import Actnorm, calibrate_actnorms
from ganvas.nn.invertible.bijection import Bijection, sum_per_sample
from ganvas.nn.invertible.flow_batch_norm import FlowBatchNorm
from ganvas.nn.invertible.moves import Standardise, bounded_log_scale

Rows = Float[Tensor, "n d"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the flow and its training: as many layers as the paper's larger ones, narrow, for points."""

    dims: int = 2  # Numbers of a point. Taken from the data.
    layers: int = 10  # Of which each has a network of its own.
    norm: Literal["batch", "actnorm", "none"] = "batch"  # Between layers.
    width: int = 64  # Of every hidden layer.
    depth: int = 2  # Hidden layers of a layer's network.
    batch_size: int = 512
    lr: float = 2e-3
    hold_kimg: float = 0.0  # At the full learning rate, before it falls.
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line; 0 keeps it.
    beta1: float = 0.9
    beta2: float = 0.99
    average_decay: float = 0.0  # Of the weights, per step.

    def __post_init__(self) -> None:
        at_least(self, 1, "dims", "layers", "width", "depth", "batch_size")
        at_least(self, 0, "hold_kimg", "decay_kimg")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2", "average_decay")

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a learning rate that is 0 when the run ends."""
        hold_kimg, decay_kimg = held_and_falling(total_kimg)
        return replace(self, hold_kimg=hold_kimg, decay_kimg=decay_kimg)


TINY = Config(layers=2, width=8, depth=1, batch_size=8)


class AutoregressiveLayer(Bijection):
    """``u_i = (x_i - m_i) exp(-a_i)`` with m_i and a_i functions of the numbers before x_i (section 3.1)."""

    only: Tensor  # The number of the network's only set of masks, (1,).

    def __init__(self, config: Config, *, backwards: bool) -> None:
        super().__init__()
        self.network = MaskedNetwork(
            config.dims, 2, width=config.width, depth=config.depth, backwards=backwards, even=True
        )
        self.register_buffer("only", torch.zeros(1, dtype=torch.long), persistent=False)

    def forward(self, x: Rows) -> tuple[Rows, PerSample]:
        u, log_slopes = self._move(x).forward(x)
        return u, sum_per_sample(log_slopes)

    def inverse(self, y: Rows) -> Rows:
        """Number by number in their order: a pass for each, of which one number is kept."""
        x, places = torch.zeros_like(y), self.network.places[0]
        for place in range(1, y.shape[1] + 1):
            x = torch.where(places == place, self._move(x).inverse(y), x)
        return x

    def _move(self, x: Rows) -> Standardise:
        mean, raw = self.network(x, self.only).unbind(2)
        return Standardise(mean, bounded_log_scale(raw))


class NormOfRows(Bijection):
    """A norm of feature maps for points: each number is a channel of one pixel."""

    def __init__(self, norm: Actnorm | FlowBatchNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Rows) -> tuple[Rows, PerSample]:
        y, log_det = self.norm(x[:, :, None, None])
        return y[:, :, 0, 0], log_det

    def inverse(self, y: Rows) -> Rows:
        return self.norm.inverse(y[:, :, None, None])[:, :, 0, 0]


class Model(PointFlowGame[Config]):
    """A stack of MADEs, each of which models what drives the one before it."""

    def __init__(self, config: Config) -> None:
        super().__init__(config, *_steps(config))

    @torch.no_grad()
    def calibrate(self, batch: Points) -> None:
        """Finds where real points lie, and sets every actnorm after it."""
        super().calibrate(batch)
        calibrate_actnorms(self.flow, batch.points)


def _steps(config: Config) -> list[Bijection]:
    """Layers whose orders take turns, with a norm between two of them."""
    found: list[Bijection] = []
    for number in range(config.layers):
        if number and config.norm != "none":
            found.append(NormOfRows(_norm(config)))
        found.append(AutoregressiveLayer(config, backwards=number % 2 == 1))
    return found


def _norm(config: Config) -> Actnorm | FlowBatchNorm:
    if config.norm == "actnorm":
        return Actnorm(config.dims)
    return FlowBatchNorm(config.dims, torch.ones(1, 1, 1, 1))
