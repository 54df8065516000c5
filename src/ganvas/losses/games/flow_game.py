"""Games of one player that knows the density of its samples: a map with an inverse, from samples to normal latents.

What a flow's file need not repeat: latents and back, the density, the likelihood of whole colours with noise within
their bins, temperature, and how far the inverse leads back to where it came from.
"""

import math
from abc import ABC, abstractmethod
from typing import Literal, Protocol, TypeVar, runtime_checkable

import torch
from torch import nn

from ganvas.core.pixels import COLOURS
from ganvas.core.sample_sizes.picture_size import DoubledSize, WholeSize
from ganvas.core.schedule import Stage, Steady, held_then_linear
from ganvas.core.shapes import Images, Labels, Latents, PerSample, Samples
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import B, Game, Phase, Settings, Terms
from ganvas.losses.likelihoods.bits import Noise, bits_per_dimension, of_whole_colours, spread
from ganvas.losses.likelihoods.dequantised_density import DequantisedDensity
from ganvas.losses.optimizers import Adam
from ganvas.nn.invertible.bijection import Bijection, BijectionChain
from ganvas.nn.invertible.centred import Centred


@runtime_checkable
class PictureFlowSettings(Settings, Protocol):
    """A ``Config`` of a flow of pictures."""

    @property
    def picture(self) -> DoubledSize | WholeSize: ...


@runtime_checkable
class PointFlowSettings(Settings, Protocol):
    """A ``Config`` of a flow of points."""

    @property
    def dims(self) -> int: ...
    @property
    def hold_kimg(self) -> float: ...
    @property
    def decay_kimg(self) -> float: ...
    @property
    def beta1(self) -> float: ...
    @property
    def beta2(self) -> float: ...
    @property
    def average_decay(self) -> float: ...


F = TypeVar("F", bound=Settings)
P = TypeVar("P", bound=PictureFlowSettings)
Q = TypeVar("Q", bound=PointFlowSettings)


class FlowGame(Game[F, B], ABC):
    """A game whose density is that of N(0, I), moved by a map with an inverse."""

    prior: Literal["normal"] = "normal"
    flow: Bijection  # From samples, as the data gives them, to latents (n, z).

    @property
    @abstractmethod
    def latent_size(self) -> int:
        """As many numbers as a sample has."""

    def log_density(self, images: Samples) -> PerSample:
        """``ln p(x)`` of samples as the data gives them, exact, in nats: of pictures per unit of [-1, 1]."""
        z, log_det = self.flow(images)
        return log_det + standard_normal(z)

    def latents(self, n: int, rng: torch.Generator) -> Latents:
        """``n`` latents of N(0, I)."""
        return torch.randn(n, self.latent_size, generator=rng, device=rng.device)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Samples:
        """The samples of latents: pictures that may lie a little outside of [-1, 1], or points."""
        return self.flow.inverse(z)

    def decode_at(self, z: Latents, temperature: float, labels: Labels | None = None) -> Samples:
        """The samples of latents whose deviation is ``temperature`` and not 1 (Kingma & Dhariwal 2018, section 6)."""
        return self.decode(temperature * z, labels)

    def encode(self, images: Samples) -> Latents:
        """The latent of each sample."""
        return self.flow(images)[0]

    def inverse_error(self, images: Samples) -> PerSample:
        """How far the worst number of each sample is from where it was, after the way to its latent and back."""
        return (self.flow.inverse(self.flow(images)[0]) - images).abs().flatten(1).amax(1)


@runtime_checkable
class LearntNoise(Noise, Protocol):
    """Noise within the bins of colours whose density is learnt, from normal numbers."""

    def at(self, images: Images, normal: Images) -> tuple[Images, PerSample]:
        """The shares of bins that normal numbers become for pictures of whole colours, and ``ln q`` of a picture's."""
        ...


class PictureFlowGame(FlowGame[P, Pictures], ABC):
    """A flow of pictures.

    Attributes:
        levels: To how many colours pictures are reduced before it sees them.
        noise: What fills the bins of colours: uniform numbers, or what is learnt for each picture.
        reach: Between which colours of [-1, 1] the density is above 0; a logit has ends, a little beyond both.
    """

    takes = (Pictures,)
    density: Literal["exact density"] = "exact density"
    levels: int = COLOURS
    reach: tuple[float, float] = (-math.inf, math.inf)
    noise: Noise | LearntNoise

    @property
    def latent_size(self) -> int:
        """Height times width times channels."""
        picture = self.config.picture
        return picture.channels * math.prod(picture.size)

    @property
    def learner(self) -> nn.Module:
        """What descends the bits: the flow, and the noise with it where that is learnt too."""
        return self if isinstance(self.noise, LearntNoise) else self.flow

    def log_prob(self, images: Images, rng: torch.Generator) -> PerSample:
        """At most ``ln P(x)`` of whole colours on average, with one draw of noise within their bins."""
        return self._dequantised().log_prob(images, rng)

    @property
    def density_details(self) -> str:
        """Which noise fills the bins of colours."""
        return self._dequantised().density_details

    def likelihood_terms(self, batch: Pictures) -> Terms:
        """Bits per dimension of a batch, with noise within the bins from the step's own stream."""
        shape = batch.images.shape[1:]
        if isinstance(self.noise, LearntNoise):
            shares, log_q = self.noise.at(batch.images, batch.randn(*shape))
        else:
            shares, log_q = batch.rand(*shape), 0.0
        log_density = self.log_density(spread(batch.images, shares, levels=self.levels))
        log_prob = of_whole_colours(log_density, shape.numel(), levels=self.levels) - log_q
        return {"bits_per_dimension": bits_per_dimension(log_prob, shape.numel())}

    def _dequantised(self) -> DequantisedDensity:
        return DequantisedDensity(model=self, levels=self.levels, noise=self.noise)


class PointFlowGame(FlowGame[Q, Points], ABC):
    """One flow of points, one player, one loss: the negative log-likelihood, in nats.

    Points are brought to mean 0 and variance 1 in each dimension first, by numbers found on real points once.
    """

    takes = (Points,)

    def __init__(self, config: Q, *steps: Bijection) -> None:
        super().__init__()
        self.config = config
        self.flow = BijectionChain(Centred(config.dims), *steps)

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
        average = config.average_decay or None
        return [Phase(name="F", player=self.flow, loss=self._loss, optimizer=adam, average=average)]

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


def standard_normal(z: Latents) -> PerSample:
    """``ln N(z; 0, I) = -1/2 (|z|^2 + d ln 2 pi)``, in float32 at least."""
    squares = z.square().sum(1, dtype=torch.promote_types(z.dtype, torch.float32))
    return -0.5 * (squares + z.shape[1] * math.log(2 * math.pi))
