"""The contract between a model and training: who moves, on what they are judged, and what a batch carries.

A model is a :class:`Game`: it declares its moves as a list of :class:`Phase`, and one ``play`` serves them all. A GAN
has two players, a VAE one, a VAE-GAN three; nothing in the loop asks which it is. What a family can do besides being
trained stands in :mod:`ganvas.losses.capabilities`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.core.schedule import Schedule
from ganvas.core.shapes import PerSample, Scalar
from ganvas.losses.optimizers import Adam, OptimizerSettings

Terms = Mapping[str, PerSample | Scalar]  # Named, unreduced: a value per sample, or one where the paper's is.


BatchType = TypeVar("BatchType", bound="Batch")


@dataclass(frozen=True, kw_only=True)
class Batch(ABC):
    """The samples of one step, with the random stream of that step; one final class per kind of sample.

    Under several ranks the tensors are this rank's share; :meth:`randn` and :meth:`rand` draw for the whole batch and
    return this rank's share, so that two ranks of half a batch see what one rank of a whole one would.

    Attributes:
        unit: What its samples are called.
        rng: The stream; None only where nothing is computed (the meta device).
        ranks: Which of how many processes this is.
        kept: Tensors that one phase of the step leaves for a later one (:meth:`keep`).
    """

    unit: ClassVar[SampleUnit] = "pictures"
    rng: torch.Generator | None = None
    ranks: Ranks = field(default_factory=Ranks)
    kept: dict[str, Tensor] = field(default_factory=dict)

    @property
    @abstractmethod
    def size(self) -> int:
        """Samples on this rank."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the samples are."""

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that the data gave, by the name of its field."""
        named = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, Tensor)}

    def map(self: BatchType, change: Callable[[Tensor], Tensor]) -> BatchType:
        """The same batch with every tensor changed: moved to a device, cloned for a graph, replaced by zeros."""
        changed = {name: change(tensor) for name, tensor in self.tensors().items()}
        return replace(self, **changed, kept={})

    def with_rng(self: BatchType, rng: torch.Generator | None) -> BatchType:
        """The same batch with another random stream; what was kept is shared."""
        return replace(self, rng=rng)

    def keep(self, name: str, tensor: Tensor) -> Tensor:
        """Leaves a tensor, without its gradient, for later phases of this step; returns it as it was given.

        So two phases share one forward pass: what the generators were judged on is what the discriminators see.
        """
        self.kept[name] = tensor.detach()
        return tensor

    def kept_or(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        """What an earlier phase of this step kept; made now, without gradients, where that phase was not played."""
        if name not in self.kept:
            with torch.no_grad():
                self.keep(name, make())
        return self.kept[name]

    def randn(self, *shape: int) -> Tensor:
        """Standard normal numbers of shape ``(size, *shape)``."""
        return self.ranks.share(self._whole(torch.randn, shape))

    def rand(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1) of shape ``(size, *shape)``."""
        return self.ranks.share(self.whole_rand(*shape))

    def randint(self, high: int, *shape: int) -> Tensor:
        """Whole numbers below ``high`` of shape ``(size, *shape)``."""
        return (self.rand(*shape) * high).long()

    def whole_rand(self, *shape: int) -> Tensor:
        """Uniform numbers for the samples of all ranks, ``(size * ranks, *shape)``: the same on every rank."""
        return self._whole(torch.rand, shape)

    def _whole(self, distribution: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        return distribution(self.size * self.ranks.count, *shape, generator=self.rng, device=self.device)


B = TypeVar("B", bound=Batch)
S = TypeVar("S", bound="Settings")
Turn = Callable[[int, int], bool]  # Of the steps done and the samples shown before this one: does the phase play?


def every(k: int) -> Turn:
    """Plays on the last of each ``k`` steps.

    >>> [step for step in range(9) if every(3)(step, 0)]
    [2, 5, 8]
    """
    if k < 1:
        raise UserError(f"A phase played every {k} steps is never played. Give at least 1.")
    return lambda step, nimg: (step + 1) % k == 0


def between(start_nimg: int, end_nimg: int | None = None) -> Turn:
    """Plays from ``start_nimg`` samples on, and no longer from ``end_nimg`` on: pre-training, or a late start.

    >>> [nimg for nimg in range(0, 50, 10) if between(10, 30)(0, nimg)]
    [10, 20]
    """
    return lambda step, nimg: start_nimg <= nimg and (end_nimg is None or nimg < end_nimg)


ALWAYS = every(1)


@dataclass(frozen=True, kw_only=True)
class Phase(Generic[B]):
    """One kind of move of a game over batches of one kind.

    Attributes:
        name: Unique within the game, and the first part of what is logged: "D".
        player: What this phase trains; everyone else stands still. Optimiser and average belong to the player, so two
            phases of one player share its moments and must name the same settings. Parameters that do not require
            gradients when the model is made belong to nobody and never move.
        loss: A pure function of a batch to named, unreduced terms. Their sum of means is what the player descends.
        turn: Whether the phase plays, as a function of (steps done, samples shown). It may read a buffer of the model
            that is saved and the same on all ranks, as a win rate is.
        weight: Of the summed terms. A penalty played on every k-th step weighs k; a player that rests weighs 1.
        simultaneous: The move waits until the next phase has its gradient too; both see the same noise.
        optimizer: Settings of the player's optimiser.
        average: Decay per move of a running average of the player's weights, which then is what samples; where it
            changes, as a function of the samples shown. None for phases that do not average.
        after: Called under no_grad when the move is made, with the batch (its stream at the start again, so that the
            loss's draws come once more) and the terms: clips weights, fills an image pool, adapts augmentation.
    """

    name: str
    player: nn.Module
    loss: Callable[[B], Terms]
    turn: Turn = ALWAYS
    weight: float = 1.0
    simultaneous: bool = False
    optimizer: OptimizerSettings = field(default_factory=Adam)
    average: float | Callable[[int], float] | None = None
    after: Callable[[B, Terms], None] | None = None


@runtime_checkable
class Settings(Protocol):
    """What every model's ``Config`` has; it is a frozen, keyword-only dataclass."""

    @property
    def batch_size(self) -> int: ...

    @property
    def lr(self) -> float: ...


class Game(nn.Module, ABC, Generic[S, B]):
    """What the loop needs of a model. A file's ``Model`` is a final class of this kind: ``Game[Config, Pictures]``.

    It is a base class and no protocol, because training needs torch's modules too, and a type checker knows no type
    that is both.
    """

    config: S
    takes: ClassVar[tuple[type[Batch], ...]]  # The kinds of sample that it can be made for.

    @property
    def batch_type(self) -> type[Batch]:
        """What its losses are functions of. A model of several kinds says how its settings choose."""
        (only,) = self.takes
        return only

    @abstractmethod
    def schedule(self) -> Schedule:
        """Batch size, learning rate and stage as a function of the samples shown."""

    @abstractmethod
    def phases(self) -> list[Phase[B]]:
        """The moves of a step, in their order."""

    def memory(self) -> Sequence[str]:
        """Names of buffers that are saved to resume from and never published: image pools, rings of past weights.

        Such a buffer holds the rows of the whole batch, so that all ranks have the same one.
        """
        return ()
