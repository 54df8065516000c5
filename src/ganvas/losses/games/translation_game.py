"""Games that make pictures of one kind into pictures of another, learnt from pairs or from two kinds without pairs.

What a translator's file need not repeat: the size of the second kind, the checks of the settings that all have, and a
learning rate that is held and then falls.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeVar

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.config import override
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Steady
from ganvas.losses.game import B, Game

Own = TypeVar("Own", bound="TranslationSettings")


@dataclass(frozen=True, kw_only=True)
class Fall:
    """How the learning rate falls, and over which parts of a run that has its schedule fitted."""

    rate: Literal["linear", "halved"] = "linear"
    held: float = 0.5  # ``hold_kimg`` over the run's length.
    falling: float = 0.5  # ``decay_kimg`` over the run's length.


class TranslationSettings(ABC):
    """What the ``Config`` of every translator has: the fields that are named here, in an order and with defaults of
    its own, and what follows from them."""

    fall: ClassVar[Fall] = Fall()  # Half at the full rate, half on a line to 0, where a paper does not say otherwise.

    other_channels: int
    features: int
    discriminator_features: int
    batch_size: int
    lr: float
    hold_kimg: float
    decay_kimg: float
    beta1: float
    beta2: float

    @property
    @abstractmethod
    def picture(self) -> WholeSize:
        """The size of the pictures that are translated."""

    @property
    def other_picture(self) -> WholeSize:
        """The size of what they become."""
        return replace(self.picture, channels=self.other_channels)

    def fitted(self: Own, total_kimg: float) -> Own:
        """The same settings with the paper's schedule over a run."""
        hold, decay = total_kimg * self.fall.held, total_kimg * self.fall.falling
        return override(self, {"hold_kimg": hold, "decay_kimg": decay})

    def check_shared(self) -> None:
        """That the fields named here, and the sizes of both kinds, can be.

        Raises:
            UserError: one cannot.
        """
        at_least(self, 1, "features", "discriminator_features", "batch_size")
        at_least(self, 0, "hold_kimg")
        above(self, 0, "lr", "decay_kimg")
        fractions(self, "beta1", "beta2")
        assert self.picture
        assert self.other_picture


T = TypeVar("T", bound=TranslationSettings)


class TranslationGame(Game[T, B], ABC):
    """A game whose generators translate in the directions that it names."""

    directions: Sequence[str]

    def __init__(self, config: T) -> None:
        super().__init__()
        self.config = config

    def schedule(self) -> Steady:
        """One size; a constant rate, then one that falls."""
        config = self.config
        return Steady(
            batch_size=config.batch_size,
            lr=config.lr,
            rate=config.fall.rate,
            hold_kimg=config.hold_kimg,
            decay_kimg=config.decay_kimg,
        )
