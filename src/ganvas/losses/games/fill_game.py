"""Games of networks that fill holes in pictures: what the models of a hole, a sketch or a colour need not repeat.

All of them have one rate, Adam for every player, and settings that name the law of their holes. Where one discriminator
judges what one generator fills in (:class:`JudgedFillGame`), both see the same filling of a step.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, Protocol, TypeVar, runtime_checkable

from torch import nn

from ganvas.core.hole_law import HoleLaw
from ganvas.core.schedule import Steady
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game, Phase, Settings, Terms
from ganvas.losses.optimizers import Adam, AdamSettings


@runtime_checkable
class FillSettings(Settings, AdamSettings, Protocol):
    """A ``Config`` of a model that fills holes."""

    @property
    def holes(self) -> HoleLaw: ...


F = TypeVar("F", bound=FillSettings)


class FillGame(Game[F, Pictures], ABC):
    """A game of pictures with holes; a model says what it heeds of a drawing, if anything, in ``guides``."""

    takes = (Pictures,)
    guides: Sequence[Literal["sketch", "colour"]] = ()

    @property
    def holes(self) -> HoleLaw:
        """The law of the holes that it is trained with."""
        return self.config.holes

    @property
    def adam(self) -> Adam:
        """Of every player."""
        return Adam(beta1=self.config.beta1, beta2=self.config.beta2, eps=self.config.eps)

    def schedule(self) -> Steady:
        """A constant rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)


class JudgedFillGame(FillGame[F], ABC):
    """One generator fills in and one discriminator judges it."""

    generator: nn.Module
    discriminator: nn.Module

    def phases(self) -> list[Phase[Pictures]]:
        """The generator, then the discriminator, on the generator's filling of this step."""
        return [
            Phase(name="G", player=self.generator, loss=self.generator_loss, optimizer=self.adam),
            Phase(name="D", player=self.discriminator, loss=self.discriminator_loss, optimizer=self.adam),
        ]

    @abstractmethod
    def generator_loss(self, batch: Pictures) -> Terms:
        """Keeps what it makes in the batch, for the discriminator."""

    @abstractmethod
    def discriminator_loss(self, batch: Pictures) -> Terms:
        """Of pictures and of the fillings of this step."""
