"""Easel: a run's generator as the screens Walk and Paint use it: places between seeds, directions, brushes of units.

Walk lays the seeds out on a lattice, as the visualizer of StyleGAN3 does: what ``ganvas sample --seed s -n 1`` draws
stands at column ``s mod 1000``, row ``s div 1000``, and between four seeds their latents are blended, along the sphere
where they are normal.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ganvas.core.errors import UserError
from ganvas.core.run_folder import RunFolder
from ganvas.dissect.effects.context import quantiles
from ganvas.dissect.latents.jacobian import rms_change
from ganvas.dissect.latents.latent_directions import first_map, sefa
from ganvas.dissect.latents.walks import Code, lerp, slerp
from ganvas.dissect.painting import Painter, Painting, UnitStroke, painter_of
from ganvas.dissect.places import Place
from ganvas.losses.capabilities import HasLatents, Truncates, classes_of

ACROSS = 1000  # Seeds in a row of the lattice; it goes round at its edges.
DIRECTIONS = 5
STEP, POINTS = 3.0, 4  # At which, and over how many latents, it is measured how much a direction changes.
QUANTILE_PICTURES = 64
LARGEST_GRID = 16  # Cells to a side: each is a button, and stands for a square of a larger layer's.
FEWEST_GONE = 0.1  # Of a label, without the units of a brush.


@dataclass(frozen=True, kw_only=True)
class Brush:
    """Units that draw something together, as a dissection found them."""

    name: str
    units: tuple[int, ...]
    gone: float  # The share of the label that went without them, on pictures that they were not chosen on.
    error: float


@dataclass(frozen=True, kw_only=True)
class LatticePoint:
    """Where a walk stands."""

    x: float
    y: float
    steps: Sequence[float] = ()  # Along the directions.


@dataclass(kw_only=True)
class Easel:
    """A painter with what a page chooses from."""

    painter: Painter
    directions: torch.Tensor | None  # (k, z), None where no first map is found.
    why_none: str
    layers: tuple[Place, ...]
    brush_layer: Place | None
    brushes: tuple[Brush, ...]
    values: dict[str, torch.Tensor] = field(default_factory=dict)  # By layer, what its units say where they say most.

    def latent(self, place: LatticePoint) -> Code:
        """The latent of a place on the lattice."""
        column, row = math.floor(place.x), math.floor(place.y)
        across, down = place.x - column, place.y - row
        rows = [self._between(self._seed(column, at), self._seed(column + 1, at), across) for at in (row, row + 1)]
        z = self._between(rows[0], rows[1], down)
        if self.directions is not None:
            for way, step in zip(self.directions, place.steps, strict=False):
                z = z + step * way.to(z)
        return z

    def _seed(self, column: int, row: int) -> Code:
        return self.painter.kept.latents(1, seed=column % ACROSS + ACROSS * (row % ACROSS))[0]

    def _between(self, a: Code, b: Code, part: float) -> Code:
        if part == 0:
            return a
        blend = slerp if self.painter.kept.require(HasLatents).prior == "normal" else lerp
        return blend(a, b, torch.tensor([part]))[0]

    def painting(
        self, place: LatticePoint, *, label: int | None, truncation: float | None, strokes: Sequence[UnitStroke]
    ) -> Painting:
        """The painting of a place with strokes."""
        kept = self.painter.kept
        return Painting(
            model=kept.name,
            fingerprint=kept.fingerprint,
            kimg=kept.kimg,
            latent=self.latent(place).tolist(),
            label=(label or 0) if kept.conditional else None,
            truncation=truncation,
            strokes=list(strokes),
        )

    def stroke(
        self, layer: str, units: Sequence[int], cells: Sequence[Sequence[int]], *, strength: float, erases: bool
    ) -> UnitStroke:
        """A stroke with units of a layer in cells of its grid: to what they say where they say most, or to 0."""
        place = self.painter.subject.numbering.place(layer)
        wrong = [unit for unit in units if not 0 <= unit < place.units]
        if wrong or not units:
            raise UserError(f"Layer {place.name} has the units 0 to {place.units - 1}; name some of them.")
        high = [0.0] * len(units) if erases else self._high(place)[list(units)].tolist()
        inside = [at for cell in cells for at in _square(place, cell)]
        return UnitStroke(layer=place.name, units=list(units), values=high, strength=strength, cells=inside)

    def _high(self, place: Place) -> torch.Tensor:
        if place.name not in self.values:
            self.values[place.name] = quantiles(self.painter.subject, place, QUANTILE_PICTURES)
        return self.values[place.name]

    def described(self) -> dict[str, Any]:
        """What a page has to know."""
        kept, model = self.painter.kept, self.painter.kept.model
        classes = classes_of(model.config)
        return {
            "model": kept.name,
            "kimg": kept.kimg,
            "size": [kept.height, kept.width],
            "latents": kept.latents(1).shape[1],
            "directions": self._changes(),
            "why_none": self.why_none,
            "truncates": isinstance(model, Truncates),
            "labels": list(kept.class_names) or [str(number) for number in range(classes)] if classes else [],
            "layers": [_layer(place) for place in self.layers],
            "brush_layer": None if self.brush_layer is None else self.brush_layer.name,
            "brushes": [{**vars(brush), "units": list(brush.units)} for brush in self.brushes],
        }

    @torch.no_grad()
    def _changes(self) -> list[float]:
        """Root mean square change of the picture by each direction."""
        if self.directions is None:
            return []
        kept = self.painter.kept
        z = kept.latents(POINTS)
        labels = kept.labels(POINTS, seed=0, label=None)
        return [rms_change(lambda at: kept.decode(at, labels), z, way, step=STEP) for way in self.directions]


def easel_of(run: RunFolder, kimg: float | None) -> Easel:
    """The easel of a run.

    Raises:
        UserError: it has no model yet, or its model draws no pictures from latents.
    """
    painter = painter_of(run.path, kimg=kimg)
    numbering = painter.subject.numbering
    layer, brushes = _brushes(run, painter)
    chosen = [place for place in numbering.chosen() if _side(place) is not None]
    known = {place.name: place for place in ([layer] if layer is not None else []) + chosen}
    directions, why = _directions(painter)
    return Easel(
        painter=painter,
        directions=directions,
        why_none=why,
        layers=tuple(known.values()),
        brush_layer=layer,
        brushes=brushes,
    )


def _directions(painter: Painter) -> tuple[torch.Tensor | None, str]:
    """The strongest of the first map of latents, or why there are none."""
    try:
        found = sefa(first_map(painter.subject.network, painter.kept.latents(2)), count=DIRECTIONS)
    except UserError as error:
        return None, str(error)
    return found.directions, ""


def _brushes(run: RunFolder, painter: Painter) -> tuple[Place | None, tuple[Brush, ...]]:
    """The unit sets of the run's dissection that take most of their label away; none where it fits no more."""
    try:
        found = json.loads(run.dissection.read_bytes())
        said = found["effect_layer"]
        place = painter.subject.numbering.place(said["name"])
        brushes = [_brush(one) for one in found["sets"] if one["chosen_by"] == "effect" and one["label"]]
        if (place.units, list(place.size)) != (said["units"], said["size"]) or _side(place) is None:
            return None, ()
    except (OSError, ValueError, KeyError, TypeError, RecursionError, StopIteration):
        return None, ()
    kept = [brush for brush in brushes if brush.gone >= FEWEST_GONE and brush.gone > 2 * brush.error]
    return place, tuple(sorted(kept, key=lambda brush: -brush.gone))


def _brush(one: dict[str, Any]) -> Brush:
    effect = next(effect for effect in one["effects"] if effect["label"] == one["label"])
    units = tuple(int(unit) for unit in one["units"])
    return Brush(
        name=str(one["label"]),
        units=units,
        gone=-float(effect["relative"]) if effect["relative"] is not None else 0.0,
        error=float(effect["relative_error"]) if effect["relative_error"] is not None else math.inf,
    )


def _layer(place: Place) -> dict[str, Any]:
    side = _side(place) or 1
    grid = [length // side for length in place.size]
    return {"name": place.name, "label": place.label, "units": place.units, "size": list(place.size), "grid": grid}


def _side(place: Place) -> int | None:
    """Of the square of a layer's cells that a button stands for; None where no such squares fill the layer."""
    for side in range(1, max(place.size) + 1):
        if max(place.size) / side <= LARGEST_GRID:
            return side if not any(length % side for length in place.size) else None
    return None


def _square(place: Place, cell: Sequence[int]) -> list[list[int]]:
    """The cells of a layer that a cell of its grid stands for."""
    side = _side(place) or 1
    return [[cell[0] * side + row, cell[1] * side + column] for row in range(side) for column in range(side)]
