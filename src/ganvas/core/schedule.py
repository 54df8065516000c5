"""Schedules: the stage of a run as a pure function of the samples shown. Time is never counted in epochs or steps.

:class:`Steady` is the schedule of most models: one size, with warm-up and decay of the learning rate. :class:`Growth`
adds resolutions one by one.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

from ganvas.core.checks import above, at_least
from ganvas.core.errors import UserError

FALLING = 0.5  # Of a run whose rate is fitted to its length: the share over which it falls.
GROWN = 0.6  # Of a run whose growth is fitted to its length: the share after which the last resolution trains alone.


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What one step of training is told by the clock."""

    batch_size: int  # Real samples per step, over all ranks.
    lr: float  # Learning rate, before a player's own factor.
    phase: int = 0  # Counts the changes that restart the optimisers: 4 train, 8 fade, 8 train, ...
    resolution: int | None = None  # Nominal resolution of pictures that double, 4, 8, 16, ...; None for all others.
    shrink: int = 1  # How many times smaller than the data a stage's pictures are, along each side.
    fade: float = 1.0  # Weight of the newest resolution in (0, 1]; 1 when it is not being faded in.

    @property
    def fading(self) -> bool:
        return self.fade < 1.0


@runtime_checkable
class Schedule(Protocol):
    """The clock of a run: what every model's ``schedule()`` returns."""

    def at(self, nimg: int) -> Stage:
        """The stage when ``nimg`` samples have been shown."""
        ...

    def borders(self) -> list[int]:
        """The samples shown at which the network changes; empty where it never does."""
        ...

    def stages(self) -> Iterator[Stage]:
        """One stage per kind of step in order: what an executor may have to prepare and a forecast to try."""
        ...


def ended_at(schedule: Schedule, total_nimg: int) -> int:
    """The samples that have been shown when a run of at least ``total_nimg`` ends: whole batches alone are shown."""
    nimg = 0
    for border in [*(border for border in schedule.borders() if 0 < border < total_nimg), total_nimg]:
        batch_size = schedule.at(nimg).batch_size
        nimg += -(-max(border - nimg, 0) // batch_size) * batch_size
    return nimg


@dataclass(frozen=True, kw_only=True)
class Steady:
    """One batch size and one network from the first sample to the last; the learning rate may rise and fall.

    ``lr`` is reached linearly over ``warm_up_kimg``, held until ``hold_kimg``, and then goes to ``end_lr`` over
    ``decay_kimg``: on a line, or on half a cosine, ``end + (lr - end) (1 + cos(pi t)) / 2`` (Loshchilov & Hutter 2017,
    eq. 5 without restarts, https://arxiv.org/abs/1608.03983). A ``rate`` of "constant" never falls; one of "halved" is
    halved at once after every ``decay_kimg`` from ``hold_kimg`` on.
    """

    batch_size: int
    lr: float
    end_lr: float = 0.0  # Where a decay ends.
    resolution: int | None = None  # Said in logs, for pictures that are doubled from a base.
    rate: Literal["constant", "linear", "cosine", "halved"] = "constant"
    warm_up_kimg: float = 0.0
    hold_kimg: float = 0.0  # Counted from the start of the run, warm-up included.
    decay_kimg: float = 0.0

    def __post_init__(self) -> None:
        at_least(self, 1, "batch_size")
        at_least(self, 0, "end_lr", "warm_up_kimg", "hold_kimg", "decay_kimg")
        if self.rate != "constant" and self.decay_kimg <= 0:
            raise UserError(
                f"decay_kimg={self.decay_kimg} must be above 0 for a {self.rate} decay: how many thousand samples the "
                "learning rate takes to fall to 0, or to be halved once more."
            )

    def at(self, nimg: int) -> Stage:
        """The same stage at every moment, but for its learning rate."""
        return Stage(batch_size=self.batch_size, lr=self._lr(nimg / 1000), resolution=self.resolution)

    def borders(self) -> list[int]:
        """None: the network never changes."""
        return []

    def stages(self) -> Iterator[Stage]:
        """The one kind of step there is, at the full learning rate."""
        yield Stage(batch_size=self.batch_size, lr=self.lr, resolution=self.resolution)

    def _lr(self, kimg: float) -> float:
        """After ``kimg`` thousand samples."""
        if kimg < self.warm_up_kimg:
            return self.lr * (kimg / self.warm_up_kimg)
        if self.rate == "constant" or kimg <= self.hold_kimg:
            return self.lr
        if self.rate == "halved":
            return self.lr * 0.5 ** ((kimg - self.hold_kimg) // self.decay_kimg)
        along = min((kimg - self.hold_kimg) / self.decay_kimg, 1.0)
        left = 1.0 - along if self.rate == "linear" else half_cosine(along)
        return self.end_lr + (self.lr - self.end_lr) * left if self.end_lr else self.lr * left


def held_then_linear(
    *, batch_size: int, lr: float, hold_kimg: float = 0.0, decay_kimg: float = 0.0, resolution: int | None = None
) -> Steady:
    """A rate that is held and then falls to 0 on a line; one that stays where ``decay_kimg`` is 0."""
    return Steady(
        resolution=resolution,
        batch_size=batch_size,
        lr=lr,
        rate="linear" if decay_kimg else "constant",
        hold_kimg=hold_kimg,
        decay_kimg=decay_kimg,
    )


def held_and_falling(total_kimg: float) -> tuple[float, float]:
    """``hold_kimg`` and ``decay_kimg`` of a rate that is 0 when a run of that length ends."""
    falling = FALLING * total_kimg
    return total_kimg - falling, falling


@dataclass(frozen=True, kw_only=True)
class Course:
    """A setting that goes from ``start`` to ``end`` on half a cosine, over ``kimg`` thousand samples, and stays."""

    start: float
    end: float
    kimg: float

    def __post_init__(self) -> None:
        above(self, 0, "kimg")

    def at(self, nimg: int) -> float:
        """The value when ``nimg`` samples have been shown."""
        return self.end + (self.start - self.end) * half_cosine(min(nimg / (1000 * self.kimg), 1.0))


def half_cosine(along: float) -> float:
    """``(1 + cos(pi along)) / 2``: from 1 to 0 while ``along`` goes from 0 to 1, level at both ends."""
    return 0.5 * (1.0 + math.cos(math.pi * along))


def decay_of(half_life: float, samples: int) -> float:
    """The decay over so many samples of an average in which a sample counts half after ``half_life`` samples.

    >>> decay_of(100, 100), decay_of(0, 100)
    (0.5, 0.0)
    """
    return 0.5 ** (samples / half_life) if half_life > 0 else 0.0


def ramped_decay(nimg: int, *, half_life_kimg: float, ramp: float, batch_size: int) -> float:
    """The decay, on the step at ``nimg``, of an average that grows old with the run: short runs forget their start too.

    Args:
        ramp: The half-life is at most this share of the samples shown so far; 0 is no such limit.

    >>> ramped_decay(2000, half_life_kimg=500, ramp=0.05, batch_size=100)  # A half-life of 100 samples.
    0.5
    """
    half_life = 1000 * half_life_kimg
    return decay_of(min(half_life, ramp * nimg) if ramp else half_life, batch_size)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Progressive growing (Karras et al. 2018, section 2 and appendix A).

    The first resolution trains ``train_kimg``; every next one is faded in over ``fade_kimg`` and then trains
    ``train_kimg``; the last trains on until the run's end. ``batch_size`` and ``lr`` may be overridden at a
    resolution, and ``rampup_kimg`` raises the learning rate at the start of the run (``exp(-5 (1 - t)^2)``). After
    ``hold_kimg`` it falls to ``end_share`` of itself on a line, over ``decay_kimg``; the paper's never does.
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
    hold_kimg: float = 0.0  # Counted from the start of the run.
    decay_kimg: float = 0.0  # 0 is no decay.
    end_share: float = 0.0

    def __post_init__(self) -> None:
        at_least(self, 0, "hold_kimg", "decay_kimg", "end_share")
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

    def fitted(self, total_kimg: float, *, grown: float = GROWN) -> "Growth":
        """The same with lengths that reach the last resolution after this share of a run.

        Training and fading in keep their proportion; what is left trains the last resolution. A learning rate that
        decays does so over the same share of the run, and ends with it.

        Raises:
            UserError: the run is too short to show a sample at every one.
        """
        periods = self._doublings
        period = grown * total_kimg / max(periods, 1)
        if periods and round(1000 * period) < 2:
            raise UserError(
                f"total_kimg={total_kimg:g} is too short to grow to {self.last}: give at least "
                f"{0.002 * periods / grown:.2g}."
            )
        training = self.train_kimg / (self.train_kimg + self.fade_kimg) if self.train_kimg else 0.0
        decaying = total_kimg * self.decay_kimg / (self.hold_kimg + self.decay_kimg) if self.decay_kimg else 0.0
        return replace(
            self,
            train_kimg=training * period,
            fade_kimg=(1 - training) * period,
            hold_kimg=total_kimg - decaying if decaying else self.hold_kimg,
            decay_kimg=decaying,
        )

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
        return Stage(
            resolution=resolution,
            shrink=self.last // resolution,
            batch_size=self.batch_size_at.get(resolution, self.batch_size),
            lr=self.lr_at.get(resolution, self.lr) * self._share(nimg / 1000),
            fade=(within - self._train_nimg) / self._fade_nimg if fading else 1.0,
            phase=2 * done + fading,
        )

    def _share(self, kimg: float) -> float:
        """Of the learning rate, after ``kimg`` thousand images."""
        warm = min(kimg / self.rampup_kimg, 1.0) if self.rampup_kimg else 1.0
        along = min(max(kimg - self.hold_kimg, 0.0) / self.decay_kimg, 1.0) if self.decay_kimg else 0.0
        return math.exp(-5.0 * (1.0 - warm) ** 2) * (1.0 - (1.0 - self.end_share) * along)

    @property
    def arrival(self) -> int:
        """The images shown at which the last resolution trains alone."""
        return self.borders()[-1] if self._doublings else 0

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
