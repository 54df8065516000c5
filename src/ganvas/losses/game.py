"""Training as a game: who moves, on what they are judged, and what a batch carries.

A model declares its game as a list of :class:`Phase`; one ``play`` serves them all. A GAN has two players, a VAE one,
a VAE-GAN three; nothing in the loop asks which it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.ranks import Ranks
from ganvas.core.shapes import Images, Labels, PerSample, Scalar

Terms = Mapping[str, PerSample]  # Named, unreduced: one value per sample. Their sum is what the player descends.


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a dataset yields for one step, collated, with the random stream of that step.

    Under several ranks ``images`` and the rest are this rank's share; :meth:`randn` and :meth:`rand` draw for the
    whole batch and return this rank's share, so that two ranks of half a batch see what one rank of a whole one would.
    """

    images: Images  # Real pictures in [-1, 1], at the resolution of the stage, faded when the stage fades.
    rng: torch.Generator | None  # None only where nothing is computed (the meta device).
    labels: Labels | None = None  # Class of each image.
    target: Images | None = None  # The paired picture of image translation.
    other: Images | None = None  # Unpaired pictures of a second domain.
    mask: Float[Tensor, "n 1 h w"] | None = None  # 1 where a picture is known, 0 where it is to be filled in.
    fade: Scalar | None = None  # Weight of the newest resolution; None when nothing fades.
    ranks: Ranks = field(default_factory=Ranks)

    @property
    def size(self) -> int:
        """Samples on this rank."""
        return self.images.shape[0]

    @property
    def classes(self) -> Labels:
        """The labels, for a loss that cannot be without them."""
        assert self.labels is not None, "a model with classes is fed with labels"
        return self.labels

    def randn(self, *shape: int) -> Tensor:
        """Standard normal numbers of shape ``(size, *shape)``."""
        return self._draw(torch.randn, shape)

    def rand(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1) of shape ``(size, *shape)``."""
        return self._draw(torch.rand, shape)

    def randint(self, high: int, *shape: int) -> Tensor:
        """Whole numbers below ``high`` of shape ``(size, *shape)``."""
        return (self.rand(*shape) * high).long()

    def with_rng(self, rng: torch.Generator | None) -> "Batch":
        """The same batch with another random stream."""
        return replace(self, rng=rng)

    def _draw(self, distribution: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        device = self.images.device
        whole = distribution(self.size * self.ranks.count, *shape, generator=self.rng, device=device)
        return self.ranks.share(whole)


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Settings of a player's optimiser (Kingma & Ba 2015). The learning rate comes from the schedule."""

    beta1: float = 0.0
    beta2: float = 0.99
    eps: float = 1e-8
    lr_factor: float = 1.0  # Times the schedule's learning rate: two time scales are two factors.


@dataclass(frozen=True)
class Phase:
    """One kind of move of a game."""

    name: str
    player: nn.Module  # What this phase trains; everyone else stands still.
    loss: Callable[[Batch], Terms]
    every: int = 1  # Played on every k-th step.
    weight: float = 1.0  # Of the summed terms. A lazily played penalty weighs ``every``; a lazily trained player 1.
    simultaneous: bool = False  # The move waits until the next phase has its gradient too; both see the same noise.
    optimizer: Adam = field(default_factory=Adam)
    average: float | None = (
        None  # Decay per move of a running average of the player's weights, which then is what samples.
    )
