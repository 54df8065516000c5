"""Games whose generator starts from latents of a simple law: of any samples, and of pictures or points.

What a generator's file need not repeat: the prior and its draws, and, where a model takes pictures or points
(:class:`FramedGame`, which also serves models without latents), which of the two its settings say, and the frame in
which networks see points.
"""

from abc import ABC
from typing import Literal, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from ganvas.core.sample_sizes.picture_size import DoubledSize, WholeSize
from ganvas.core.schedule import Schedule, Stage, Steady
from ganvas.core.shapes import Labels, Latents, PerSample, Samples
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import B, Batch, Game, Settings


@runtime_checkable
class LatentSettings(Settings, Protocol):
    """A ``Config`` of a model with latents."""

    @property
    def latent_size(self) -> int: ...


@runtime_checkable
class FramedSettings(Settings, Protocol):
    """A ``Config`` of a model that takes pictures, or points of ``dims`` numbers where that is above 0."""

    @property
    def dims(self) -> int: ...

    @property
    def picture(self) -> DoubledSize | WholeSize: ...


@runtime_checkable
class PictureOrPointSettings(LatentSettings, Protocol):
    """Such a one with latents, whose pictures are doubled from a base."""

    @property
    def dims(self) -> int: ...

    @property
    def resolution(self) -> int: ...

    @property
    def picture(self) -> DoubledSize: ...


L = TypeVar("L", bound=LatentSettings)
F = TypeVar("F", bound=FramedSettings)
E = TypeVar("E", bound=PictureOrPointSettings)


class LatentGame(Game[L, B], ABC):
    """A game whose generator starts from latents: N(0, I), or U[-1, 1) where a model sets ``prior``."""

    prior: Literal["normal", "uniform"] = "normal"

    def latents(self, n: int, rng: torch.Generator) -> Latents:
        """``n`` latents from the prior."""
        shape = (n, self.config.latent_size)
        if self.prior == "normal":
            return torch.randn(shape, generator=rng, device=rng.device)
        return 2 * torch.rand(shape, generator=rng, device=rng.device) - 1

    def latents_of(self, batch: Batch) -> Latents:
        """A latent for each sample of a batch, from the stream of its step."""
        if self.prior == "normal":
            return batch.randn(self.config.latent_size)
        return 2 * batch.rand(self.config.latent_size) - 1


class FramedGame(Game[F, Pictures | Points], ABC):
    """A game of pictures, or of points where ``config.dims`` is above 0.

    Networks see pictures as they are. They see points around a mean of zero, with an average variance per dimension of
    1/2, so that one set of settings serves clouds of every size; both numbers are found on real points once.
    """

    takes = (Pictures, Points)
    middle: Tensor  # Mean of the real points, (d,). Of points alone.
    unit: Tensor  # What a length of 1 inside stands for, (). Of points alone.

    def __init__(self, config: F) -> None:
        super().__init__()
        self.config = config
        if config.dims:
            self.register_buffer("middle", torch.zeros(config.dims))
            self.register_buffer("unit", torch.ones(()))

    @property
    def batch_type(self) -> type[Pictures] | type[Points]:
        """The kind of batch that the settings choose."""
        return Points if self.config.dims else Pictures

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Of one sample: (c, h, w) of a picture, (d,) of a point."""
        picture = self.config.picture
        return (self.config.dims,) if self.config.dims else (picture.channels, *picture.size)

    @torch.no_grad()
    def calibrate(self, batch: Pictures | Points) -> None:
        """Finds where real points lie, and how far apart, of the whole batch on every rank; of pictures nothing."""
        if isinstance(batch, Pictures):
            return
        points = batch.points.double()
        middle = points.mean(0)
        batch.ranks.average_([middle])
        variance = (points - middle).square().mean()
        batch.ranks.average_([variance])
        self.middle.copy_(middle)
        self.unit.copy_((2 * variance).sqrt().clamp_min(torch.finfo(torch.float32).tiny))

    def inside(self, samples: Samples) -> Samples:
        """Samples in the data's own units as networks see them."""
        return (samples - self.middle) / self.unit if self.config.dims else samples

    def outside(self, samples: Samples) -> Samples:
        """What a network makes, in the data's own units."""
        return samples * self.unit + self.middle if self.config.dims else samples

    def reals(self, batch: Pictures | Points) -> Samples:
        """The samples of a batch as networks see them."""
        return self.inside(batch.images if isinstance(batch, Pictures) else batch.points)


class PictureOrPointGame(FramedGame[E], LatentGame[E, Pictures | Points], ABC):
    """A framed game whose generator makes a sample of a latent in one pass."""

    generator: nn.Module  # From latents to samples as networks see them.

    def schedule(self) -> Schedule:
        """One batch size, one learning rate."""
        return Steady(resolution=self.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    @property
    def resolution(self) -> int | None:
        """The nominal one of pictures; None of points."""
        return None if self.config.dims else self.config.resolution

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Samples:
        """Samples of latents: pictures in [-1, 1], points in the data's own units."""
        return self.outside(self.generator(z))

    def scores(self, critic: nn.Module, reals: Samples, fakes: Samples) -> tuple[PerSample, PerSample]:
        """What a critic says of reals and of as many fakes: of points in one pass, of pictures in two.

        In one pass batch norm would tell reals and fakes apart by their shares of the batch.
        """
        if self.config.dims:
            real, fake = critic(torch.cat([reals, fakes])).flatten().chunk(2)
            return real, fake
        return critic(reals).flatten(), critic(fakes).flatten()
