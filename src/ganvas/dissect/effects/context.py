"""Insertion of a thing's units at every place, and what the generator makes of it there: what can be put where.

Bau et al. 2020, Understanding the role of individual units in a deep neural network, section "Analyzing a GAN"
(https://arxiv.org/abs/2009.05041), insert the units of doors at each cell of a layer, and see a door appear where a
building is and nowhere else. Three things can feign that:

- the labeller, if it knows that doors do not stand in the sky: what it recognises of real things pasted there has to
  stand beside the matrix, and the labeller has to have learnt without a sense of place;
- any disturbance of a cell, which takes from what was there: the effect of as many random units is subtracted;
- the place: what is put at the bottom need not know what lies there. With the grounds of *another* picture the same
  cells have to show less (``elsewhere``).

An untrained network is a twin only where it draws the grounds at all; random units (``by_chance``) always are one.

An effect is the change of the share of the cell's own pixels that have the thing's label, in points. Cells of one
picture depend on each other, so standard errors are over pictures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.progress import progress
from ganvas.dissect.effects.single_units import RANKING, random_units
from ganvas.dissect.instrument import inserted
from ganvas.dissect.labellers.labeller import Labeller, LabelMaps
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject

SERIES = "context"
QUANTILE = 0.995  # Of a unit's values: what is inserted (the code of the source).
FEWEST_CELLS = 64
RANDOM_SETS = 2
AT_ONCE = 128


@dataclass(frozen=True, kw_only=True)
class GroundEffect:
    """The effect of inserting a thing's units into the cells of one ground."""

    thing: str
    ground: str
    points: float  # Change of the thing's share of the cell, in points, less what random units do.
    error: float
    causal: float  # By the thing's own units alone, in points.
    random: float
    cells: int

    @property
    def t(self) -> float:
        """In standard errors."""
        return self.points / self.error if self.error > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Context:
    """One thing put onto every ground."""

    thing: str
    units: tuple[int, ...]
    pictures: int
    grounds: tuple[GroundEffect, ...]  # Those with FEWEST_CELLS cells or more.
    untrained: tuple[GroundEffect, ...] = ()  # The same of the untrained twin, by its own units.
    recall: tuple[float | None, ...] = ()  # What the labeller recognises of real things laid onto each ground.


@dataclass(frozen=True, kw_only=True, eq=False)
class Insertions:
    """What was in each cell before, and what inserting units did to it."""

    labels: tuple[str, ...]
    ground: Int[Tensor, "pictures cells"]  # The label in the cell's middle.
    causal: Float[Tensor, "pictures cells"]  # Change of the thing's share of the cell.
    random_sets: Float[Tensor, "sets pictures cells"]  # The same by random units.

    @property
    def random(self) -> Float[Tensor, "pictures cells"]:
        """The mean over random sets."""
        return self.random_sets.mean(0)

    def by_chance(self) -> "Insertions":
        """The twin in which a random set stands for the thing's units, beside the other random sets."""
        return replace(self, causal=self.random_sets[0], random_sets=self.random_sets[1:])

    def elsewhere(self) -> "Insertions":
        """The twin in which each cell is said to have the ground of the next picture at that place."""
        return replace(self, ground=self.ground.roll(1, 0))

    def on(self, thing: str, ground: str) -> GroundEffect:
        """The mean over the cells of one ground."""
        there = self.ground == self.labels.index(ground)
        points, error = clustered(self.causal - self.random, there)
        return GroundEffect(
            thing=thing,
            ground=ground,
            points=100 * points,
            error=100 * error,
            causal=100 * float(self.causal[there].mean()) if there.any() else math.nan,
            random=100 * float(self.random[there].mean()) if there.any() else math.nan,
            cells=int(there.sum()),
        )

    def on_all(self, thing: str) -> tuple[GroundEffect, ...]:
        """The mean over the cells of every ground that has enough of them."""
        cells = [self.on(thing, ground) for ground in self.labels]
        return tuple(cell for cell in cells if cell.cells >= FEWEST_CELLS)

    def contrast(self, one: str, other: str) -> tuple[float, float]:
        """How many points more on one ground than on another, and its standard error over pictures."""
        change, weights = self.causal - self.random, torch.zeros_like(self.causal)
        for ground, sign in ((one, 1.0), (other, -1.0)):
            there = (self.ground == self.labels.index(ground)).double()
            mean = (change * there).sum() / there.sum().clamp_min(1)
            weights += sign * there * (change - mean) / there.sum().clamp_min(1)
        n = len(change)
        error = (weights.sum(1).square().sum() * n / max(n - 1, 1)).sqrt()
        first, second = (self.on("", ground).points for ground in (one, other))
        return first - second, 100 * float(error)


def clustered(change: Float[Tensor, "pictures cells"], there: Tensor) -> tuple[float, float]:
    """The mean over marked cells, and its standard error with pictures as clusters."""
    weight = there.double()
    total = weight.sum()
    if not total:
        return math.nan, math.nan
    mean = (change * weight).sum() / total
    residual = ((change - mean) * weight).sum(1)
    n = len(change)
    return float(mean), float((residual.square().sum() * n / max(n - 1, 1)).sqrt() / total)


@torch.no_grad()
def inserted_everywhere(
    subject: Subject,
    labeller: Labeller,
    place: Place,
    units: Sequence[int],
    thing: str,
    *,
    pictures: int,
    seed: int,
    quiet: bool = True,
) -> Insertions:
    """Inserts a thing's units, and as many random ones, into each cell of the layer by itself."""
    value = quantiles(subject, place, pictures)
    sets = [list(units), *_random_sets(place, units, seed)]
    rows, columns = place.size
    cells, number = rows * columns, labeller.labels.index(thing)
    before = [labeller.segment(drawn) for drawn, _ in subject.seen(pictures, of=SERIES)]
    masks = torch.cat(before)
    base = cell_shares(masks, number, place.size)
    change = torch.zeros(len(sets), pictures, cells, dtype=torch.float64)
    with progress(f"context of {thing}", pictures * len(sets), unit="pictures", quiet=quiet) as report:
        for at, chosen in enumerate(sets):
            for row in range(pictures):
                inside = _each_cell(subject, labeller, place, chosen, value, row, number)
                change[at, row] = inside - base[row]
                report(at * pictures + row + 1)
    return Insertions(
        labels=labeller.labels,
        ground=_middles(masks, place.size),
        causal=change[0],
        random_sets=change[1:],
    )


def _random_sets(place: Place, units: Sequence[int], seed: int) -> list[list[int]]:
    count = len(units)
    return [random_units(place, count, seed=seed, number=100 + k, but=units) for k in range(RANDOM_SETS)]


def _each_cell(
    subject: Subject,
    labeller: Labeller,
    place: Place,
    units: Sequence[int],
    value: Float[Tensor, " units"],
    row: int,
    label: int,
) -> Float[Tensor, " cells"]:
    """One picture with the units inserted into each cell in turn: the label's share of that cell."""
    rows, columns = place.size
    cells = rows * columns
    where = torch.eye(cells).view(cells, 1, rows, columns)
    inputs = tuple(each.expand(cells, *each.shape[1:]) for each in subject.series(SERIES, row, row + 1))
    found = []
    for start in range(0, cells, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        edit = inserted(place, units, value, where[part])
        drawn, _ = subject.run(tuple(each[part] for each in inputs), edits=[edit])
        shares = cell_shares(labeller.segment(drawn), label, place.size)
        found.append(shares[torch.arange(len(shares)), torch.arange(start, start + len(shares))])
    return torch.cat(found)


def quantiles(subject: Subject, place: Place, pictures: int) -> Float[Tensor, " units"]:
    """For each unit the value that all but 5 in 1,000 of its places stay below."""
    kept = [maps[place.name] for _, maps in subject.seen(pictures, of=RANKING, keep=[place])]
    values = torch.cat(kept).transpose(0, 1).flatten(1)
    rank = min(max(round(QUANTILE * values.shape[1]), 1), values.shape[1])
    return values.kthvalue(rank, dim=1).values


def cell_shares(masks: LabelMaps, label: int, size: tuple[int, int]) -> Float[Tensor, "n cells"]:
    """The share of each cell's pixels that have a label."""
    return F.adaptive_avg_pool2d((masks == label).double()[:, None], size)[:, 0].flatten(1)


def _middles(masks: LabelMaps, size: tuple[int, int]) -> Int[Tensor, "n cells"]:
    """The label of the pixel in each cell's middle."""
    height, width = masks.shape[1:]
    rows = (torch.arange(size[0]) * 2 + 1) * height // (2 * size[0])
    columns = (torch.arange(size[1]) * 2 + 1) * width // (2 * size[1])
    return masks[:, rows][:, :, columns].flatten(1).long()
