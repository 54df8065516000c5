"""NICE: the first flow of pictures: shifts of one half by the other, and a density that is known exactly.

Dinh, Krueger, Bengio: NICE: Non-linear Independent Components Estimation (2014), https://arxiv.org/abs/1410.8516. Four
couplings of fully connected networks keep every volume, so all that a density can gain comes from the scale of each
number at the end, which learns what varies and what does not (section 3.3). For seeing what flows began with.
The network stands in :mod:`ganvas.networks.nice_network`.

Latents are of N(0, I), as those of all flows here are; with ``prior="logistic"``, the paper's, they are turned into
logistic numbers first. A temperature scales the normal ones.

Departs from the paper:
- Pictures of CIFAR-10 are not whitened first.
- Adam's beta2 is .99, which is what the paper's .01 means in the notation of today, and its eps 1e-4 stands outside the
  root.
- What is drawn and measured may be a running average of the weights (``average_decay``); 0 is the paper's.
- ``noise="variational"`` learns how the bins of colours are filled (:mod:`ganvas.networks.variational_noise`).
"""

from dataclasses import dataclass

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Steady
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase
from ganvas.losses.games.flow_game import PictureFlowGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.nice_network import Prior, nice
from ganvas.networks.variational_noise import START_SEED, NoiseKind, VariationalNoise, noise_of


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the flow and its training; the defaults are the paper's, for MNIST."""

    height: int = 28
    width: int = 28
    channels: int = 1
    couplings: int = 4
    features: int = 1000  # Units of a hidden layer.
    depth: int = 5  # Hidden layers of a coupling's network.
    prior: Prior = "logistic"
    noise: NoiseKind = "uniform"  # Within the bins of colours.
    noise_depth: int = 4  # Couplings of the variational one.
    noise_features: int = 32  # Of their networks.
    batch_size: int = 200
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.99
    eps: float = 1e-4
    average_decay: float = 0.0  # Of the weights, per step.

    def __post_init__(self) -> None:
        at_least(self, 1, "couplings", "features", "depth", "noise_depth", "noise_features", "batch_size")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2", "average_decay")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels)


TINY = Config(height=8, width=8, channels=3, features=8, depth=1, batch_size=8)


class Model(PictureFlowGame[Config]):
    """One flow, one player, one loss: the negative log-likelihood."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        depth, features = config.noise_depth, config.noise_features
        self.noise = noise_of(config.noise, config.channels, depth=depth, features=features)
        self.flow = nice(
            config.picture,
            couplings=config.couplings,
            width=config.features,
            depth=config.depth,
            prior=config.prior,
        )

    def schedule(self) -> Steady:
        """One batch size and one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def calibrate(self, batch: Pictures) -> None:
        """Before the first step: what noise is learnt by is set from real pictures."""
        if isinstance(self.noise, VariationalNoise):
            self.noise.calibrate(batch.images, torch.Generator(batch.device).manual_seed(START_SEED))

    def phases(self) -> list[Phase[Pictures]]:
        """The flow descends the bits of the pictures."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        average = config.average_decay or None
        return [
            Phase(name="F", player=self.learner, loss=self.likelihood_terms, optimizer=adam, average=average),
        ]
