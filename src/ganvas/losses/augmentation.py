"""Augmentation of all pictures that a discriminator sees, so that it cannot learn few of them by heart.

A GAN of pictures holds an :class:`Augmentation` as ``self.augmentation``, passes through it whatever it shows to its
discriminator in a loss, real and generated, tells it what the discriminator thought of reals, and has it adapt after
the discriminator's move. That is all a model does; which augmentation it is a run chooses (``--augment``).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Samples, Scalar
from ganvas.losses.game import Batch, Terms
from ganvas.nn.augment.bgc import bgc
from ganvas.nn.augment.diff_augment import POLICIES, diff_augment

Verdicts = Float[Tensor, "n *patches"]

ADAPT_EVERY = 4  # Moves of the discriminator between two changes of p.
NOTICED = "augmentation verdicts"  # Under which the verdicts of a step are kept in its batch.


class Augmentation(ABC):
    """What a discriminator sees of pictures in the losses of a game."""

    @abstractmethod
    def __call__(self, images: Samples, batch: Batch) -> Samples:
        """The pictures as the discriminator sees them, drawn anew for each from the batch's stream.

        Args:
            images: As many as the batch has, or that once more and again: reals and fakes in one tensor. Where each
                sample has several pictures, one after the other, :func:`several_augmented` serves.
        """

    @abstractmethod
    def notice(self, real: Verdicts, batch: Batch) -> None:
        """Tells what the discriminator thought of the reals of a batch, in a loss: above 0 is real.

        A critic whose level means nothing tells the difference from the fake beside each real.
        """

    @abstractmethod
    def adapt(self, batch: Batch, terms: Terms) -> None:
        """Called after each move of the discriminator that was noticed: a ``Phase``'s ``after``."""

    @abstractmethod
    def numbers(self) -> Mapping[str, Scalar]:
        """What a report of training says of it, by name."""


@runtime_checkable
class ShowsAugmented(Protocol):
    """Shows pictures to its discriminator through an augmentation."""

    augmentation: Augmentation


class NoAugmentation(Augmentation):
    """Pictures as they are; nothing is drawn."""

    def __call__(self, images: Samples, batch: Batch) -> Samples:
        """The same tensor."""
        return images

    def notice(self, real: Verdicts, batch: Batch) -> None:
        """Nothing is to be noticed."""

    def adapt(self, batch: Batch, terms: Terms) -> None:
        """Nothing is to be adapted."""

    def numbers(self) -> Mapping[str, Scalar]:
        """None."""
        return {}


class DiffAugmentation(Augmentation):
    """DiffAugment (Zhao et al. 2020), always: see :mod:`ganvas.nn.augment.diff_augment`."""

    def __init__(self, policies: tuple[str, ...] = POLICIES) -> None:
        self.policies = policies

    def __call__(self, images: Samples, batch: Batch) -> Samples:
        """Colour, shift and cutout of every picture."""
        return diff_augment(images, _RowsOf(batch, len(images)), self.policies)

    def notice(self, real: Verdicts, batch: Batch) -> None:
        """Nothing is to be noticed."""

    def adapt(self, batch: Batch, terms: Terms) -> None:
        """Nothing is to be adapted."""

    def numbers(self) -> Mapping[str, Scalar]:
        """None."""
        return {}


class AdaptiveAugmentation(nn.Module, Augmentation):
    """ADA (Karras et al. 2020), https://arxiv.org/abs/2006.06676, section 3.1: as much as keeps D from overfitting.

    ``r_t = E sign D(T(x))`` of reals x, over four moves of the discriminator, is near 0 where it cannot tell and 1
    where it knows every one of them by heart. Every four moves p goes up where r_t is above its target, else down, by
    four batches in so many thousand pictures as would take it from 0 to 1.

    Departs from the authors' code: p stays below a cap. A transformation of finite order that is applied with
    probability 1, such as quarter turns drawn from all four, cannot be told from the data's own any more, and the
    generator then draws turned pictures (section 2.2); theirs has no bound but advises p below 0.8.

    Attributes:
        p: The probability of each step; a buffer, saved with the state of a run.
        overfitting: r_t of the last four moves.
    """

    p: Tensor
    overfitting: Tensor
    moves: Tensor  # Since p changed last.
    signs: Tensor  # The sum of the mean sign over those.

    def __init__(self, *, target: float = 0.6, kimg: float = 500.0, cap: float = 0.85) -> None:
        super().__init__()
        self.target, self.kimg, self.cap = target, kimg, cap
        for name in ("p", "overfitting", "moves", "signs"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, images: Samples, batch: Batch) -> Samples:
        """Geometry and colour, each step with probability p: see :mod:`ganvas.nn.augment.bgc`."""
        return bgc(images, self.p, _RowsOf(batch, len(images)))

    def notice(self, real: Verdicts, batch: Batch) -> None:
        """Keeps the verdicts for :meth:`adapt`."""
        batch.keep(NOTICED, real)

    @torch.no_grad()
    def adapt(self, batch: Batch, terms: Terms) -> None:
        """Counts the signs, and at every fourth move changes p. Nothing waits for the device."""
        noticed = batch.kept[NOTICED]
        total = _at_least_float32(noticed).sign().sum()  # Of whole numbers: the same in every order.
        batch.ranks.average_([total])
        self.signs += total / noticed.numel()
        self.moves += 1
        due = self.moves >= ADAPT_EVERY
        overfitting = self.signs / ADAPT_EVERY
        change = (overfitting - self.target).sign() * self.step_of(batch.size * batch.ranks.count)
        self.overfitting.copy_(torch.where(due, overfitting, self.overfitting))
        self.p.copy_(torch.where(due, (self.p + change).clamp(0, self.cap), self.p))
        self.moves *= ~due
        self.signs *= ~due

    def numbers(self) -> Mapping[str, Scalar]:
        """The probability p, and r_t."""
        return {"p": self.p, "overfitting": self.overfitting}

    def step_of(self, batch_size: int) -> float:
        """By how much p changes every four moves: ``4 B / (1000 kimg)``."""
        return ADAPT_EVERY * batch_size / (1000 * self.kimg)


def several_augmented(augmentation: Augmentation, images: Samples, batch: Batch) -> Samples:
    """Pictures of which each sample of a batch has several, one after the other: the same on two ranks as on one."""
    if isinstance(augmentation, NoAugmentation) or len(images) == batch.size:
        return augmentation(images, batch)
    parts = images.unflatten(0, (batch.size, -1)).unbind(1)
    return torch.stack([augmentation(part, batch) for part in parts], 1).flatten(0, 1)


class _RowsOf:
    """The stream of a batch for pictures that are the batch's samples once, twice or more: reals, then fakes."""

    def __init__(self, batch: Batch, count: int) -> None:
        self.batch, self.count = batch, count

    def rand(self, *shape: int) -> Tensor:
        return self._repeated([self.batch.rand(*shape) for _ in range(self._times)])

    def randn(self, *shape: int) -> Tensor:
        return self._repeated([self.batch.randn(*shape) for _ in range(self._times)])

    @property
    def _times(self) -> int:
        return -(-self.count // self.batch.size)

    def _repeated(self, parts: list[Tensor]) -> Tensor:
        return torch.cat(parts)[: self.count]


def _at_least_float32(verdicts: Tensor) -> Tensor:
    return verdicts.to(torch.promote_types(verdicts.dtype, torch.float32))
