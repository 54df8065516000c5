"""Paintings: a picture of a generator as a latent and strokes with its units, which draw it again to the bit.

A stroke sets some units of a layer in some cells of it: to values that they have where they say most (painting), or to
0 (erasing); see :mod:`ganvas.dissect.instrument` for what a strength is. The file holds the numbers themselves, the
latent and the values, and the hash of the weights, so that nothing has to be found again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from jaxtyping import UInt8

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json
from ganvas.core.files.typed_json import require
from ganvas.core.pixels import to_bytes
from ganvas.dissect import subject as subjects
from ganvas.dissect.instrument import UnitEdit, units_mask
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject
from ganvas.losses.capabilities import HasLatents
from ganvas.train import trained
from ganvas.train.trained import Trained


class UnitStroke(TypedDict):
    """Units that a person has put into some cells of a layer, or taken out of them."""

    layer: str
    units: list[int]
    values: list[float]  # One for each of the units; 0 erases.
    strength: float
    cells: list[list[int]]  # Row and column.


class Painting(TypedDict):
    """A picture of a generator as numbers."""

    model: str
    fingerprint: str
    kimg: float
    latent: list[float]
    label: int | None
    truncation: float | None
    strokes: list[UnitStroke]


@dataclass(frozen=True, kw_only=True, eq=False)
class Painter:
    """A run's generator with its layers, ready to draw paintings."""

    kept: Trained
    subject: Subject


def painter_of(folder: Path, *, kimg: float | None = None) -> Painter:
    """The painter of a run.

    Raises:
        UserError: there is no such run, or it draws no pictures from latents.
    """
    kept = trained.load(folder, kimg=kimg)
    kept.require(HasLatents)
    return Painter(kept=kept, subject=subjects.of_trained(kept, folder))


def read_painting(path: Path) -> Painting:
    """The painting that a file holds.

    Raises:
        UserError: there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}. The studio (`ganvas serve`) saves paintings.")
    return require(Painting, read_json(path), str(path))


@torch.no_grad()
def painted(painter: Painter, painting: Painting) -> UInt8[np.ndarray, "h w c"]:
    """The picture of a painting.

    Raises:
        UserError: it was painted with other weights, or the model has no such layer, unit or cell.
    """
    kept, subject = painter.kept, painter.subject
    _require_same(kept, painting)
    z = torch.tensor([painting["latent"]], dtype=torch.float32)
    labels = _labels(kept, painting["label"])
    edits = [unit_edit(subject, stroke) for stroke in painting["strokes"]]
    if painting["truncation"] is not None:
        if edits:
            raise UserError("A truncated picture has no strokes: the layers that are drawn with are others. Leave one.")
        picture = kept.decode(z, labels, truncation=painting["truncation"])
    else:
        picture, _ = subject.run((z,) if labels is None else (z, labels), edits=edits)
    return to_bytes(picture)[0].permute(1, 2, 0).contiguous().numpy()


def unit_edit(subject: Subject, stroke: UnitStroke) -> UnitEdit:
    """A stroke as a change of units.

    Raises:
        UserError: the layer has no such unit or cell, or there is not one value for each unit.
    """
    place, units = subject.numbering.place(stroke["layer"]), stroke["units"]
    if len(stroke["values"]) != len(units) or not 0 <= stroke["strength"] <= 1:
        raise UserError("A stroke has one value for each of its units, and a strength from 0 to 1.")
    value = torch.zeros(1, place.units, 1, 1)
    value[0, list(units), 0, 0] = torch.tensor(stroke["values"], dtype=torch.float32)
    strength = units_mask(place, units) * _cells_mask(place, stroke["cells"]) * stroke["strength"]
    return UnitEdit(place=place, strength=strength, value=value)


def _cells_mask(place: Place, cells: Sequence[Sequence[int]]) -> torch.Tensor:
    mask = torch.zeros(1, 1, *place.size)
    for cell in cells:
        if len(cell) != 2 or not all(0 <= at < side for at, side in zip(cell, place.size, strict=True)):
            rows, columns = place.size
            raise UserError(f"Layer {place.name} has no cell {list(cell)}: it has {rows} rows and {columns} columns.")
        mask[0, 0, cell[0], cell[1]] = 1.0
    return mask


def _labels(kept: Trained, label: int | None) -> torch.Tensor | None:
    if kept.conditional and label is None:
        raise UserError(f"{kept.name} draws classes, and the painting names none. Put its number as 'label'.")
    return kept.labels(1, seed=0, label=label)


def _require_same(kept: Trained, painting: Painting) -> None:
    given = painting["model"], painting["fingerprint"]
    if given != (kept.name, kept.fingerprint):
        raise UserError(
            f"The painting is of {given[0]} at {painting['kimg']:g} kimg with the weights {given[1][:19]}..., and this "
            f"is {kept.name} at {kept.kimg:g} kimg with {kept.fingerprint[:19]}.... Name that run, or its --kimg."
        )
    size = kept.latents(1).shape[1]
    if len(painting["latent"]) != size:
        raise UserError(f"The latent has {len(painting['latent'])} numbers, and the model's has {size}.")
