"""Glow: a deep flow of pictures, whose steps are a learnt scale, a learnt mixing of channels and a coupling.

Kingma, Dhariwal: Glow: Generative Flow with Invertible 1x1 Convolutions (NeurIPS 2018),
https://arxiv.org/abs/1807.03039. A step is actnorm, an invertible 1x1 convolution and an affine or additive coupling
(table 1). ``depth`` steps make a level; between levels half of the channels leave, scored by a normal distribution
whose mean and deviation the other half says, and 2x2 pixels are squeezed into channels. What is left at the end has a
normal distribution of its own, learnt too. Each of these is a map with an inverse, so the whole is one from pictures to
latents of N(0, I); a temperature scales all latents (section 6), and pictures come back from theirs up to rounding
(``inverse_error`` in health.jsonl).

Defaults are the authors' code (https://github.com/openai/glow) on 8 GPUs. Where the paper differs, the difference is a
setting:

- ``scale``: "sigmoid", sigmoid(h + 2), in the code; "exp" in table 1 of the paper.
- ``order``: "shift-scale", (x + t) s, in the code; "scale-shift", s x + t, in the paper.
- ``mixing``: "plain" in the code; "lu" in section 3.2 of the paper; "reverse" and "shuffle" are compared there.
- ``edges``: in the code alone every 3x3 convolution has a channel more that is 1 on the zeros around the picture and 0
  inside. So the learnt prior of the top, a convolution of zeros, is another one along the borders.

``noise="variational"`` learns how the bins of colours are filled, by a small flow of its own that sees the picture (Ho
et al.: Flow++ (ICML 2019), section 3.1, https://arxiv.org/abs/1902.00275): a tighter bound, at the price of a second
network.

``bits`` below 8 reduces colours first: what is learnt and measured then are pictures of 2^bits colours, drawn as such.

Departs from the code:
- Its Adamax steps are ``sqrt(1 - beta2^t)`` of Adamax's, which matters for the first 1 / (1 - beta2) steps alone.
- The data that actnorm starts from are about 500 pictures, of all ranks; the code has 256 of the first rank.
- Logarithms of determinants are found by an LU decomposition, not from determinants, which leave the range of numbers.
- Pictures of CIFAR-10 are not shifted at random. Classes, and the classifier beside them, are left out.
- What is drawn and measured may be a running average of the weights (``average_decay``); the code keeps one and
  measures without it, which 0 does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.pixels import COLOURS, LEVELS_PER_UNIT
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase
from ganvas.losses.games.flow_game import PictureFlowGame
from ganvas.losses.likelihoods.bits import dequantised
from ganvas.losses.optimizers import Adamax
from ganvas.networks.glow_convolutions import CouplingNetwork, ZeroConv
from ganvas.networks.variational_noise import START_SEED, NoiseKind, VariationalNoise, noise_of
from ganvas.nn.invertible.actnorm import Actnorm, calibrate_actnorms
from ganvas.nn.invertible.bijection import Bijection, BijectionChain, sum_per_sample
from ganvas.nn.invertible.colour_range import UnitRange
from ganvas.nn.invertible.coupling import CouplingLayer
from ganvas.nn.invertible.invertible_conv import LuConv, PlainConv, Reversal, Shuffle
from ganvas.nn.invertible.moves import Move, ScaleThenShift, Shift, ShiftThenScale, Standardise
from ganvas.nn.invertible.squeeze import Squeeze

OPENED = 2.0  # Added before the sigmoid of a scale, so that it starts at 0.88.

Maps = Float[Tensor, "n c h w"]
Mixing = Literal["plain", "lu", "reverse", "shuffle"]
MIXINGS: Mapping[Mixing, Callable[[int], Bijection]] = {
    "plain": PlainConv,
    "lu": LuConv,
    "reverse": lambda _: Reversal(),
    "shuffle": Shuffle,
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the flow and its training; the defaults are the code's, for CIFAR-10."""

    height: int = 32  # A multiple of 2^levels.
    width: int = 32
    channels: int = 3
    bits: int = 8  # Of a colour: pictures of 2^bits colours are learnt.
    levels: int = 3  # L in the paper.
    depth: int = 32  # Steps per level; K in the paper.
    features: int = 512  # Of the network of a coupling.
    coupling: Literal["affine", "additive"] = "affine"
    scale: Literal["sigmoid", "exp"] = "sigmoid"
    order: Literal["shift-scale", "scale-shift"] = "shift-scale"
    mixing: Mixing = "plain"
    edges: bool = True
    learnt_top: bool = True
    noise: NoiseKind = "uniform"  # Within the bins of colours.
    noise_depth: int = 4  # Couplings of the variational one.
    noise_features: int = 32  # Of their networks.
    batch_size: int = 512
    lr: float = 1e-3
    warm_up_kimg: float = 500.0  # Over which the learning rate rises on a line: ten epochs.
    beta1: float = 0.9
    beta2: float = 0.9898  # 1 - 1 / (steps of an epoch), of 50,000 pictures.
    average_decay: float = 0.0  # Of the weights, per step.

    def __post_init__(self) -> None:
        at_least(self, 1, "levels", "depth", "features", "noise_depth", "noise_features", "batch_size")
        at_least(self, 0, "warm_up_kimg")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2", "average_decay")
        if not 1 <= self.bits <= 8:
            raise UserError(f"bits={self.bits} must be 1 to 8: a colour of a picture has 8.")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=2**self.levels)


TINY = Config(height=8, width=8, levels=2, depth=1, features=4, batch_size=8, warm_up_kimg=0.0)


class Split(Bijection):
    """The second half of the channels as latents: ``(b - m(a)) / s(a)`` is of N(0, I) where b is of N(m(a), s(a)^2)."""

    def __init__(self, channels: int, *, edges: bool) -> None:
        super().__init__()
        half = channels // 2
        self.prior = ZeroConv(half, 2 * half, edges=edges)

    def forward(self, x: Maps) -> tuple[Maps, PerSample]:
        stays, leaves = x.chunk(2, 1)
        leaves, log_slopes = self._move(stays).forward(leaves)
        return torch.cat([stays, leaves], 1), sum_per_sample(log_slopes)

    def inverse(self, y: Maps) -> Maps:
        stays, latent = y.chunk(2, 1)
        return torch.cat([stays, self._move(stays).inverse(latent)], 1)

    def _move(self, stays: Maps) -> Standardise:
        h = self.prior(stays)
        return Standardise(h[:, 0::2], h[:, 1::2])


class LearntTop(Bijection):
    """A normal distribution for what is left: its means and deviations are a convolution of zeros."""

    def __init__(self, channels: int, *, edges: bool) -> None:
        super().__init__()
        self.prior = ZeroConv(2 * channels, 2 * channels, edges=edges)

    def forward(self, x: Maps) -> tuple[Maps, PerSample]:
        y, log_slopes = self._move(x).forward(x)
        return y, sum_per_sample(log_slopes)

    def inverse(self, y: Maps) -> Maps:
        return self._move(y).inverse(y)

    def _move(self, x: Maps) -> Standardise:
        return Standardise(*self.prior(torch.zeros_like(torch.cat([x, x], 1))).chunk(2, 1))


class Level(Bijection):
    """A squeeze, the steps of one level, and all levels below: from maps (n, c, h, w) to latents (n, c h w)."""

    def __init__(self, channels: int, size: tuple[int, int], config: Config, *, levels: int) -> None:
        super().__init__()
        channels, size = 4 * channels, (size[0] // 2, size[1] // 2)
        self.shape = (channels, *size)
        self.steps = BijectionChain(Squeeze(), *(part for _ in range(config.depth) for part in step(channels, config)))
        self.split: Split | None = None
        self.below: Level | None = None
        self.top = LearntTop(channels, edges=config.edges) if levels == 1 and config.learnt_top else None
        if levels > 1:
            self.split = Split(channels, edges=config.edges)
            self.below = Level(channels // 2, size, config, levels=levels - 1)

    def forward(self, x: Maps) -> tuple[Latents, PerSample]:
        y, log_det = self.steps(x)
        if self.split is not None and self.below is not None:
            y, log_det_split = self.split(y)
            stays, leaves = y.chunk(2, 1)
            z, log_det_below = self.below(stays)
            return torch.cat([leaves.flatten(1), z], 1), log_det + log_det_split + log_det_below
        if self.top is not None:
            y, log_det_top = self.top(y)
            log_det = log_det + log_det_top
        return y.flatten(1), log_det

    def inverse(self, y: Latents) -> Maps:
        if self.split is not None and self.below is not None:
            left, z = y.chunk(2, 1)
            stays = self.below.inverse(z)
            return self.steps.inverse(self.split.inverse(torch.cat([stays, left.reshape(stays.shape)], 1)))
        maps = y.reshape(-1, *self.shape)
        return self.steps.inverse(maps if self.top is None else self.top.inverse(maps))


def step(channels: int, config: Config) -> list[Bijection]:
    """Actnorm, mixing of channels, coupling: a step of the flow (section 3)."""
    half = channels // 2
    outputs = half if config.coupling == "additive" else 2 * half
    network = CouplingNetwork(half, outputs, features=config.features, edges=config.edges)
    return [
        Actnorm(channels),
        MIXINGS[config.mixing](channels),
        CouplingLayer(network, partial(move_of, config=config)),
    ]


def move_of(h: Maps, config: Config) -> Move:
    """From what a coupling's network says to the move of the other half; channels of shifts and scales take turns."""
    if config.coupling == "additive":
        return Shift(h)
    shift, raw = h[:, 0::2], h[:, 1::2]
    log_scale = F.logsigmoid(raw + OPENED) if config.scale == "sigmoid" else raw
    return (ShiftThenScale if config.order == "shift-scale" else ScaleThenShift)(shift, log_scale)


class Model(PictureFlowGame[Config]):
    """One flow, one player, one loss: the negative log-likelihood."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.levels = 2**config.bits
        level = Level(config.channels, config.picture.size, config, levels=config.levels)
        self.flow = BijectionChain(UnitRange(middle=0.5), level)
        self.noise = noise_of(
            config.noise,
            config.channels,
            depth=config.noise_depth,
            features=config.noise_features,
            edges=config.edges,
        )

    def schedule(self) -> Steady:
        """One batch size; the learning rate rises over the first epochs and stays."""
        config = self.config
        return Steady(batch_size=config.batch_size, lr=config.lr, warm_up_kimg=config.warm_up_kimg)

    def phases(self) -> list[Phase[Pictures]]:
        """The flow descends the bits of the pictures."""
        config = self.config
        adamax = Adamax(beta1=config.beta1, beta2=config.beta2)
        average = config.average_decay or None
        return [
            Phase(name="F", player=self, loss=self.likelihood_terms, optimizer=adamax, average=average),
        ]

    def calibrate(self, batch: Pictures) -> None:
        """Before the first step: every actnorm is set from real pictures, one after another (section 3.1)."""
        rng = torch.Generator(batch.device).manual_seed(START_SEED)
        if isinstance(self.noise, VariationalNoise):
            self.noise.calibrate(batch.images, rng)
        calibrate_actnorms(self.flow, dequantised(batch.images, rng, levels=self.levels))

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """The pictures of latents; of fewer than 256 colours, each at the lower end of its bin as the code shows it."""
        images = self.flow.inverse(z)
        if self.levels == COLOURS:
            return images
        unit = ((images + 1) * LEVELS_PER_UNIT + 0.5) / COLOURS
        colours = torch.floor(unit * self.levels).clamp(0, self.levels - 1) * (COLOURS // self.levels)
        return colours / LEVELS_PER_UNIT - 1
