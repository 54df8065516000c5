"""Variational dequantisation: how the bins of colours are filled is learnt, by a small flow that sees the picture.

Ho, Chen, Srinivas, Duan, Abbeel: Flow++ (ICML 2019), section 3.1, https://arxiv.org/abs/1902.00275. A flow of pictures
learns the density of colours with noise within their bins, which bounds the probability of whole colours; the bound is
tight where the noise has the share of the bin that the flow itself gives it. Uniform noise asks the flow to be level
within every bin.

Departs from the paper: couplings are Glow's, of a checkerboard, with a tanh as the logarithm of their scale; the
paper's have attention and mixtures of logistic distributions.
"""

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from ganvas.core.shapes import Images, PerSample
from ganvas.losses.games.flow_game import standard_normal
from ganvas.losses.likelihoods.bits import UniformNoise
from ganvas.networks.glow_convolutions import CouplingNetwork
from ganvas.nn.invertible.actnorm import calibrate_actnorms
from ganvas.nn.invertible.bijection import sum_per_sample
from ganvas.nn.invertible.checkerboard_mask import checkerboard_mask
from ganvas.nn.invertible.moves import ScaleThenShift

NoiseKind = Literal["uniform", "variational"]
START_SEED = 0  # Of the noise within the bins of colours that actnorms start from.


class VariationalNoise(nn.Module):
    """Shares of bins as the sigmoid of normal numbers, moved by couplings that see the picture.

    ``ln q(u | x) = ln N(e) - ln |det du/de|``. Halves are colours of a checkerboard, in turns; the first two couplings
    together move every number, and all of them start at the identity.
    """

    name = "variational"

    def __init__(self, channels: int, *, depth: int, features: int, edges: bool) -> None:
        super().__init__()
        self.networks = nn.ModuleList(
            CouplingNetwork(2 * channels, 2 * channels, features=features, edges=edges) for _ in range(depth)
        )

    def draw(self, images: Images, rng: torch.Generator) -> tuple[Images, PerSample]:
        """From normal numbers of the stream."""
        return self.at(images, torch.randn(images.shape, generator=rng, device=rng.device).to(images))

    def at(self, images: Images, normal: Images) -> tuple[Images, PerSample]:
        """The shares, and the logarithm of their density."""
        e, log_q = normal, standard_normal(normal.flatten(1))
        for number, network in enumerate(self.networks):
            moves = checkerboard_mask(*e.shape[2:], first=number % 2, device=e.device).to(e.dtype)
            shift, raw = network(torch.cat([images, e * (1 - moves)], 1)).chunk(2, 1)
            e, log_slopes = ScaleThenShift(moves * shift, moves * raw.tanh()).forward(e)
            log_q = log_q - sum_per_sample(log_slopes)
        return e.sigmoid(), log_q - sum_per_sample(F.logsigmoid(e) + F.logsigmoid(-e))

    def calibrate(self, images: Images, rng: torch.Generator) -> None:
        """Before the first step: every actnorm is set from real pictures and normal numbers."""
        normal = torch.randn(images.shape, generator=rng, device=rng.device).to(images)
        for network in self.networks:  # At their start none moves anything, so that each sees what it is given here.
            calibrate_actnorms(network, torch.cat([images, normal], 1))


def noise_of(
    kind: NoiseKind, channels: int, *, depth: int, features: int, edges: bool = True
) -> UniformNoise | VariationalNoise:
    """What fills the bins of a flow of pictures.

    Args:
        depth: Couplings of the variational one.
        features: Feature maps of their networks.
        edges: Whether these see where the picture ends.
    """
    if kind == "uniform":
        return UniformNoise()
    return VariationalNoise(channels, depth=depth, features=features, edges=edges)
