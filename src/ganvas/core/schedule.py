"""Where a run stands, as a pure function of the images shown. Time is never counted in epochs or steps."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ganvas.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What one step of training is told by the clock."""

    resolution: int  # Nominal resolution: 4, 8, 16, ... (the shorter-side name of a non-square picture).
    batch_size: int  # Real images per step, over all ranks.
    lr: float  # Learning rate, before a player's own factor.
    fade: float = 1.0  # Weight of the newest resolution in (0, 1]; 1 when it is not being faded in.
    phase: int = 0  # Counts the changes that restart the optimisers: 4 train, 8 fade, 8 train, ...

    @property
    def fading(self) -> bool:
        return self.fade < 1.0


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Progressive growing (Karras et al. 2018, section 2 and appendix A).

    The first resolution trains ``train_kimg``; every next one is faded in over ``fade_kimg`` and then trains
    ``train_kimg``; the last trains on until the run's end. ``batch_size`` and ``lr`` may be overridden at a
    resolution, and ``rampup_kimg`` raises the learning rate at the start of the run (``exp(-5 (1 - t)^2)``).
    """

    first: int  # First resolution.
    last: int  # Last resolution.
    train_kimg: float
    fade_kimg: float
    batch_size: int
    lr: float
    batch_size_at: Mapping[int, int] = field(default_factory=dict)
    lr_at: Mapping[int, float] = field(default_factory=dict)
    rampup_kimg: float = 0.0

    def __post_init__(self) -> None:
        if self.first <= 0 or self.last % self.first or (self.last // self.first).bit_count() != 1:
            raise UserError(f"{self.last} cannot be reached from {self.first} by doubling.{_near(self)}")
        if self.train_kimg < 0 or self.fade_kimg < 0:
            raise UserError(f"train_kimg={self.train_kimg} and fade_kimg={self.fade_kimg} must not be negative.")
        if self.first < self.last and self._train_nimg + self._fade_nimg == 0:
            raise UserError(f"Growth from {self.first} to {self.last} needs train_kimg or fade_kimg above 0.")
        if min([self.batch_size, *self.batch_size_at.values()]) < 1:
            raise UserError(f"batch_size={self.batch_size} {dict(self.batch_size_at)} must be at least 1 everywhere.")

    @property
    def _train_nimg(self) -> int:
        return round(1000 * self.train_kimg)

    @property
    def _fade_nimg(self) -> int:
        return round(1000 * self.fade_kimg)

    @property
    def _doublings(self) -> int:
        return (self.last // self.first).bit_length() - 1

    def at(self, nimg: int) -> Stage:
        """The stage when ``nimg`` real images have been shown.

        A period is ``train_kimg`` at a resolution and then ``fade_kimg`` towards the next, in that order: a fade is
        part of the resolution that it leads to, and at its first image (weight 0) still the old one. Periods are
        counted in whole images, so that no rounding puts the last image of a fade into the wrong resolution.
        """
        period = self._train_nimg + self._fade_nimg
        done, within = divmod(nimg, period) if period else (self._doublings, 0)
        if done >= self._doublings:
            done, within = self._doublings, 0
        fading = within > self._train_nimg
        resolution = self.first << (done + fading)
        warm = min(nimg / (1000 * self.rampup_kimg), 1.0) if self.rampup_kimg else 1.0
        return Stage(
            resolution=resolution,
            batch_size=self.batch_size_at.get(resolution, self.batch_size),
            lr=self.lr_at.get(resolution, self.lr) * math.exp(-5.0 * (1.0 - warm) ** 2),
            fade=(within - self._train_nimg) / self._fade_nimg if fading else 1.0,
            phase=2 * done + fading,
        )

    def borders(self) -> list[int]:
        """The images shown at which the network changes: the start of every fade, and of every training after it."""
        period = self._train_nimg + self._fade_nimg
        fades = [done * period + self._train_nimg for done in range(self._doublings)] if self._fade_nimg else []
        return sorted({*fades, *((done + 1) * period for done in range(self._doublings))})

    def stages(self) -> Iterator[Stage]:
        """One stage per kind of step in order, each fade at its middle: what an executor may have to prepare."""
        period = self._train_nimg + self._fade_nimg
        for done in range(self._doublings + 1):
            yield self.at(done * period)
            if done < self._doublings and self._fade_nimg:
                yield self.at(done * period + self._train_nimg + (self._fade_nimg + 1) // 2)


def steady(*, resolution: int, batch_size: int, lr: float) -> Growth:
    """The schedule of a model that does not grow."""
    return Growth(first=resolution, last=resolution, train_kimg=0, fade_kimg=0, batch_size=batch_size, lr=lr)


def _near(growth: Growth) -> str:
    """The sizes on both sides that doubling does reach, as a sentence with a leading space."""
    if growth.first <= 0:
        return ""
    below = growth.first
    while below * 2 <= growth.last:
        below *= 2
    if growth.last < below:
        return f" The smallest is {growth.first}."
    return f" The nearest sizes that can are {below} and {below * 2}."
