"""Real NVP: pictures become noise by steps that can be undone, so the density of any picture is known exactly.

Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP (ICLR 2017), https://arxiv.org/abs/1605.08803. Half of
a picture says how the other half is shifted and scaled; halves are colours of a checkerboard, or halves of channels
(section 3). A map of such steps has an inverse and a Jacobian that is triangular, so one pass gives latents of N(0, I)
and the density, and the way back draws. Nothing is balanced and nothing estimated, and latents are as large as
pictures. The networks stand in :mod:`ganvas.networks.real_nvp`.

Facts that the paper leaves open follow its code (tensorflow/models, research/real_nvp): Adam with 1e-3, .9 and .999;
5e-5 times the squared lengths of kernels and gains beside the nats of a picture; batches of 64; no mirroring here.

Departs from the paper and its code:
- Gradients are not clipped; the code does above a norm of 100.
- The loss and the penalty of weights are divided by ``d ln 2``, so that the loss reads as bits per dimension.
- Statistics of the batch norms between couplings: see :mod:`ganvas.networks.real_nvp`.
- What is drawn and measured may be a running average of the weights (``average_decay``); 0 is the paper's.
- ``noise="variational"`` learns how the bins of colours are filled (:mod:`ganvas.networks.variational_noise`).
"""

import math
from dataclasses import dataclass

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Steady
from ganvas.core.shapes import Scalar
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.flow_game import PictureFlowGame
from ganvas.losses.optimizers import Adam
from ganvas.networks.real_nvp import NetworkStyle, ShiftAndLogScale, WeightNormConv2d, real_nvp, real_nvp_reach
from ganvas.networks.variational_noise import START_SEED, NoiseKind, VariationalNoise, noise_of
from ganvas.nn.layers.initialise import filled


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the flow and its training; the defaults are the code's, for CIFAR-10."""

    height: int = 32  # A multiple of 2^(scales - 1).
    width: int = 32
    channels: int = 3
    scales: int = 2
    features: int = 64  # Feature maps of a coupling's network at the first scale; doubled at each further one.
    blocks: int = 8  # Residual blocks of a coupling's network.
    alpha: float = 0.05  # Colours are kept so far from the ends of the logit.
    weight_penalty: float = 5e-5  # Of squared lengths of kernels and gains, beside the nats of a picture.
    noise: NoiseKind = "uniform"  # Within the bins of colours.
    noise_depth: int = 4  # Couplings of the variational one.
    noise_features: int = 32  # Of their networks.
    batch_size: int = 64
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    average_decay: float = 0.0  # Of the weights, per step.

    def __post_init__(self) -> None:
        at_least(self, 1, "scales", "features", "blocks", "noise_depth", "noise_features", "batch_size")
        at_least(self, 0, "weight_penalty")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2", "average_decay")
        if not 0 < self.alpha < 0.5:
            raise UserError(f"alpha={self.alpha} must be in (0, 0.5): colours are kept so far from both ends.")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=2 ** (self.scales - 1))


TINY = Config(height=8, width=8, features=4, blocks=1, batch_size=8)


class Model(PictureFlowGame[Config]):
    """One flow, one player, one loss: the negative log-likelihood."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        depth, features = config.noise_depth, config.noise_features
        self.noise = noise_of(config.noise, config.channels, depth=depth, features=features)
        style = NetworkStyle(features=config.features, blocks=config.blocks)
        self.flow = real_nvp(config.picture, style, scales=config.scales, alpha=config.alpha)
        self.reach = real_nvp_reach(config.alpha)

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
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        average = config.average_decay or None
        return [Phase(name="F", player=self.learner, loss=self._loss, optimizer=adam, average=average)]

    def _loss(self, batch: Pictures) -> Terms:
        terms = dict(self.likelihood_terms(batch))
        if self.config.weight_penalty:
            terms["weights"] = self.config.weight_penalty / (self.latent_size * math.log(2)) * self._squared_lengths()
        return terms

    def _squared_lengths(self) -> Scalar:
        """``sum g^2`` over learnt lengths of kernels and gains of checkerboards, as the code penalises them."""
        squares = [
            filled(part.length).square().sum()
            for part in self.modules()
            if isinstance(part, WeightNormConv2d) and part.length is not None
        ]
        gains = [part.gain for part in self.modules() if isinstance(part, ShiftAndLogScale) and part.mask is not None]
        return torch.stack([*squares, *(filled(gain).square() for gain in gains)]).sum()
