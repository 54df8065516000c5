"""Games of networks that give every pixel a distribution, given those before it: one loss, exact bits, cached drawing.

A model's file is its network. What colours are given is chosen by ``mixtures``: a mixture of so many logistics
(:mod:`ganvas.losses.likelihoods.logistic_mixture`), or at 0 a softmax over 256 colours, channel after channel.
"""

import math
from abc import ABC, abstractmethod
from typing import Literal, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.pixels import COLOURS
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Steady
from ganvas.core.shapes import Images, Labels, PerSample
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.capabilities import classes_of
from ganvas.losses.game import Game, Phase, Settings, Terms
from ganvas.losses.likelihoods.bits import bits_per_dimension
from ganvas.losses.likelihoods.colour_softmax import ColourSoftmax, softmax_of
from ganvas.losses.likelihoods.logistic_mixture import LogisticMixture, mixture_of, numbers_of
from ganvas.losses.optimizers import Adam, AdamSettings

Numbers = Float[Tensor, "n numbers h w"]  # That describe the distribution of each pixel.


@runtime_checkable
class PixelSettings(Settings, AdamSettings, Protocol):
    """A ``Config`` of such a model."""

    @property
    def picture(self) -> WholeSize: ...

    @property
    def mixtures(self) -> int: ...

    @property
    def average_decay(self) -> float: ...


P = TypeVar("P", bound=PixelSettings)


class PixelDrawing(ABC):
    """What a network remembers while pictures are drawn, so that a pixel costs a pixel and not a picture."""

    @abstractmethod
    def start_row(self, images: Images, y: int) -> None:
        """All rows above ``y`` are there."""

    @abstractmethod
    def numbers(self, images: Images, y: int, x: int) -> Float[Tensor, "n numbers 1 1"]:
        """Of one pixel; all before it are there, and those channels of its own that have been drawn."""


class PixelGame(Game[P, Pictures], ABC):
    """One network, one player, one loss: the negative log-likelihood."""

    takes = (Pictures,)
    density: Literal["exact"] = "exact"
    network: nn.Module

    @abstractmethod
    def numbers(self, images: Images, labels: Labels | None) -> Numbers:
        """What the network says of every pixel of whole pictures."""

    @abstractmethod
    def drawing(self, n: int, labels: Labels | None) -> PixelDrawing:
        """A start for ``n`` pictures."""

    def learning_numbers(self, batch: Pictures, labels: Labels | None) -> Numbers:
        """:meth:`numbers` while the network learns, where a model with dropout has it."""
        return self.numbers(batch.images, labels)

    def schedule(self) -> Steady:
        """One batch size and one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """The network descends the bits of the pictures."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        return [
            Phase(name="P", player=self.network, loss=self._loss, optimizer=adam, average=config.average_decay),
        ]

    def distribution(self, numbers: Numbers) -> LogisticMixture | ColourSoftmax:
        """Of every pixel, given those before it."""
        numbers = numbers.to(torch.promote_types(numbers.dtype, torch.float32))
        config = self.config
        if config.mixtures:
            return mixture_of(numbers, components=config.mixtures, channels=config.picture.channels)
        return softmax_of(numbers, channels=config.picture.channels)

    @property
    def density_details(self) -> str:
        """What a likelihood without a class is made of."""
        classes = classes_of(self.config)
        return f"mean-of-{classes}-classes" if classes else ""

    def log_prob(self, images: Images, rng: torch.Generator) -> PerSample:
        """``ln p(x)`` in nats per picture, exact; of a model with classes its mean over all of them, equally likely."""
        classes = classes_of(self.config)
        if not classes:
            return self.log_prob_of(images, None)
        told = [torch.full((len(images),), label, device=images.device) for label in range(classes)]
        each = torch.stack([self.log_prob_of(images, labels) for labels in told])
        return torch.logsumexp(each, 0) - math.log(classes)

    def log_prob_of(self, images: Images, labels: Labels | None) -> PerSample:
        """``ln p(x | class)`` in nats per picture."""
        return self.log_prob_by(self.numbers(images, labels), images)

    def log_prob_by(self, numbers: Numbers, images: Images) -> PerSample:
        """``ln p(x)`` in nats per picture, by what the network says of it."""
        return self.distribution(numbers).log_prob(images).sum((1, 2))

    @property
    def evaluations(self) -> int:
        """Of the network for a picture: one a pixel, of a softmax one a channel of each."""
        height, width = self.config.picture.size
        return height * width * (1 if self.config.mixtures else self.config.picture.channels)

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator, *, labels: Labels | None = None) -> Images:
        """``n`` pictures, pixel by pixel; every layer computes each of its pixels once (a softmax: once a channel)."""
        channels, (height, width) = self.config.picture.channels, self.config.picture.size
        images = torch.zeros(n, channels, height, width, device=rng.device, dtype=next(self.parameters()).dtype)
        drawing = self.drawing(n, labels)
        for y in range(height):
            drawing.start_row(images, y)
            for x in range(width):
                self._draw_pixel(images, drawing, y, x, rng)
        return images

    def _draw_pixel(self, images: Images, drawing: PixelDrawing, y: int, x: int, rng: torch.Generator) -> None:
        if self.config.mixtures:
            images[..., y, x] = self.distribution(drawing.numbers(images, y, x)).sample(rng)[..., 0, 0]
            return
        for channel in range(self.config.picture.channels):
            found = self.distribution(drawing.numbers(images, y, x))
            assert isinstance(found, ColourSoftmax)
            images[:, channel, y, x] = ColourSoftmax(found.logits[:, channel : channel + 1]).sample(rng)[:, 0, 0, 0]

    def _loss(self, batch: Pictures) -> Terms:
        """Bits per dimension."""
        numbers = self.learning_numbers(batch, batch.labels if classes_of(self.config) else None)
        log_prob = self.log_prob_by(numbers, batch.images)
        return {"bits_per_dimension": bits_per_dimension(log_prob, batch.images[0].numel())}


# Of the starting weights of layers that describe pixels or end a residual block. With He's a network would be sure of
# wrong colours at first: a narrow logistic far from the colour costs a thousand bits, and hundreds of steps to forget.
SMALL_STD = 0.02


def outputs_of(*, mixtures: int, channels: int) -> int:
    """How many numbers describe a pixel."""
    return numbers_of(mixtures, channels) if mixtures else COLOURS * channels


def groups_of(*, mixtures: int, channels: int) -> int:
    """In how many groups a pixel's maps are ordered: a softmax knows a channel before it gives the next."""
    return 1 if mixtures else channels
