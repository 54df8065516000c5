"""Games that make pictures of one kind into pictures of another, learnt from pairs or from two kinds without pairs.

What a translator's file need not repeat: the size of the second kind, the checks of the settings that all have, and a
learning rate that is held for half of the run and falls to 0 over the other half.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.config import override
from ganvas.core.picture_size import WholeSize
from ganvas.core.schedule import Steady, held_then_linear
from ganvas.losses.game import B, Game

Own = TypeVar("Own", bound="TranslationSettings")


class TranslationSettings(ABC):
    """What the ``Config`` of every translator has: the fields that are named here, in an order and with defaults of
    its own, and what follows from them."""

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
        """The same settings with the papers' schedule over a run: half at the full rate, half on the way to 0."""
        return override(self, {"hold_kimg": total_kimg / 2, "decay_kimg": total_kimg / 2})

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
        """One size; a constant rate, then one that falls to 0 on a line."""
        config = self.config
        return held_then_linear(
            batch_size=config.batch_size, lr=config.lr, hold_kimg=config.hold_kimg, decay_kimg=config.decay_kimg
        )
