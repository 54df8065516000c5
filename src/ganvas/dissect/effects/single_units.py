"""Effects of silencing one unit at a time: the ranking of units that a dissection goes by.

How well a unit's map fits a label says little about whether the unit makes it: on the demo run the units that fit
houses best remove next to none when they are silenced. So every unit of a layer is silenced by itself, on some latents,
and a set of the strongest is then silenced together on *others*: a set chosen and judged on the same latents would look
better than it is.

Units are silenced with 0, or with their mean over pictures, which leaves them saying what they say on average.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.progress import progress
from ganvas.core.seeds import stream
from ganvas.dissect.effects.shares import Effect, drawn_shares, effects, shares
from ganvas.dissect.instrument import ablated
from ganvas.dissect.labellers.labeller import Labeller
from ganvas.dissect.places import Place
from ganvas.dissect.subject import BATCH, Subject

Silence = Literal["zero", "mean"]
RANKING, HELD_OUT = "ranking", "held out"  # Series of pictures.


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitEffects:
    """The effect of silencing each unit of a layer by itself."""

    place: Place
    change: Float[Tensor, "units labels"]  # Of the mean share of the picture.
    error: Float[Tensor, "units labels"]
    before: Float[Tensor, " labels"]
    pictures: int
    silence: Silence

    @property
    def critical(self) -> float:
        """The size of t that chance exceeds at 5 %, over all units and labels together (Bonferroni)."""
        return NormalDist().inv_cdf(1 - 0.05 / (2 * self.change.numel()))

    @property
    def t(self) -> Float[Tensor, "units labels"]:
        """Each change in its standard errors; 0 where nothing changed."""
        return torch.where(self.error > 0, self.change / self.error, 0.0)

    def ranked(self, label: int) -> list[int]:
        """Units by how much of a label goes with them, most first."""
        return self.change[:, label].argsort().tolist()


@dataclass(frozen=True, kw_only=True)
class SetEffect:
    """What silencing a set of units does, on pictures that nobody chose it on."""

    units: tuple[int, ...]
    chosen_by: str  # "effect", "iou", "random", "hand", ...
    label: str  # For which it was chosen.
    effects: tuple[Effect, ...]  # On every label.
    pictures: int

    def on(self, label: str) -> Effect:
        """The effect on one label."""
        return next(effect for effect in self.effects if effect.label == label)


def mean_values(subject: Subject, place: Place, pictures: int) -> Float[Tensor, " units"]:
    """The mean of each unit over places and pictures."""
    parts = [maps[place.name].mean((2, 3)) for _, maps in subject.seen(pictures, of=RANKING, keep=[place])]
    return torch.cat(parts).mean(0)


@torch.no_grad()
def unit_effects(
    subject: Subject,
    labeller: Labeller,
    place: Place,
    *,
    pictures: int,
    silence: Silence = "zero",
    quiet: bool = True,
) -> UnitEffects:
    """Silences each unit by itself; every picture is drawn once per unit, and seen without an edit."""
    value = mean_values(subject, place, pictures) if silence == "mean" else None
    labels = len(labeller.labels)
    before = drawn_shares(subject, labeller, pictures, of=RANKING)
    total = torch.zeros(place.units, labels, dtype=torch.float64)
    squares = torch.zeros_like(total)
    inputs = [subject.series(RANKING, at, min(at + BATCH, pictures)) for at in range(0, pictures, BATCH)]
    with progress(f"units of {place.name}", place.units, unit="units", quiet=quiet) as report:
        for unit in range(place.units):
            edits = [ablated(place, [unit], value=value)]
            for part, unedited in zip(inputs, before.split(BATCH), strict=True):
                drawn, _ = subject.run(part, edits=edits)
                change = shares(labeller.segment(drawn), labels) - unedited
                total[unit] += change.sum(0)
                squares[unit] += change.square().sum(0)
            report(unit + 1)
    mean = total / pictures
    variance = (squares / pictures - mean.square()).clamp_min(0) * pictures / max(pictures - 1, 1)
    return UnitEffects(
        place=place,
        change=mean,
        error=(variance / pictures).sqrt(),
        before=before.mean(0),
        pictures=pictures,
        silence=silence,
    )


def set_effect(
    subject: Subject,
    labeller: Labeller,
    place: Place,
    units: Sequence[int],
    *,
    label: str,
    chosen_by: str,
    pictures: int,
    value: Float[Tensor, " units"] | None = None,
    before: Tensor | None = None,
) -> SetEffect:
    """Silences units together on held-out pictures.

    Args:
        before: The shares of those pictures without an edit, where they are known.
    """
    edits = [ablated(place, units, value=value)]
    if before is None:
        before = drawn_shares(subject, labeller, pictures, of=HELD_OUT)
    after = drawn_shares(subject, labeller, pictures, of=HELD_OUT, edits=edits)
    return SetEffect(
        units=tuple(units),
        chosen_by=chosen_by,
        label=label,
        effects=tuple(effects(before, after, labeller.labels)),
        pictures=pictures,
    )


def random_units(place: Place, count: int, *, seed: int, number: int, but: Sequence[int] = ()) -> list[int]:
    """So many units at random, none of those in ``but`` while there are others."""
    order = torch.randperm(place.units, generator=stream(seed, "dissect", "random units", number)).tolist()
    others = [unit for unit in order if unit not in set(but)]
    return (others + [unit for unit in order if unit in set(but)])[: min(count, place.units)]
