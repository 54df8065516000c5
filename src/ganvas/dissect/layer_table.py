"""The table of layers: one row each, of one dissection or of several side by side.

A dissection leaves its rows in ``layers.json``, so that another one can stand beside them without their being computed
again: layers of an earlier moment, of a run with other widths, of one that lacks a trick. Rows compare only where the
same was asked: the same labeller, pictures, grid and level.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json
from ganvas.core.files.typed_json import require
from ganvas.dissect.layers import DissectedLayer

FILE = "layers.json"
ALIKE = ("labeller", "n", "grid", "top", "fit", "upsampled")  # Parts of a protocol that rows must share.


class DissectedLayerRow(TypedDict):
    """One layer of one run: units that fit a label, and the same of the twins."""

    run: str
    layer: str
    label: str
    units: int
    height: int
    width: int
    fitting: float  # Units that fit a label: a detector's IoU, and more of it than position gives.
    rotated: float | None
    untrained: float | None
    permuted: float | None
    detectors: float  # Units whose IoU is that of a detector, be it by their position alone.
    detectors_untrained: float | None
    best: float  # Mean over units of the best chance-corrected score.
    best_untrained: float | None
    best_permuted: float | None
    significant: float | None
    same_in_halves: float


class LayersFile(TypedDict):
    """The rows of a dissection as a file."""

    protocol: str
    layers: list[DissectedLayerRow]


def layer_rows(run: str, layers: Sequence[DissectedLayer]) -> list[DissectedLayerRow]:
    """The rows of the layers of a run."""
    return [
        DissectedLayerRow(
            run=run,
            layer=layer.place.name,
            label=layer.place.label,
            units=layer.place.units,
            height=layer.place.size[0],
            width=layer.place.size[1],
            fitting=layer.fitting.trained,
            rotated=layer.fitting.rotated,
            untrained=layer.fitting.untrained,
            permuted=layer.fitting.permuted,
            detectors=layer.detectors.trained,
            detectors_untrained=layer.detectors.untrained,
            best=layer.best.trained,
            best_untrained=layer.best.untrained,
            best_permuted=layer.best.permuted,
            significant=None if math.isnan(layer.significant.trained) else layer.significant.trained,
            same_in_halves=layer.same_in_halves,
        )
        for layer in layers
    ]


def rows_beside(folder: Path, protocol: str) -> list[DissectedLayerRow]:
    """The rows that another dissection has left.

    Args:
        folder: Of that dissection, or of the run that it is in.
        protocol: Of the dissection that they shall stand beside.

    Raises:
        UserError: there are none, or they were found in another way.
    """
    path = next((at for at in (folder / FILE, folder / "dissection" / FILE) if at.is_file()), None)
    if path is None:
        raise UserError(f"{folder} holds no dissection: there is no {FILE}. Make one: ganvas dissect {folder}.")
    kept = require(LayersFile, read_json(path), str(path), strict=True)
    own, other = parts_of(protocol), parts_of(kept["protocol"])
    apart = [
        f"{name}={other.get(name)} there, {name}={own.get(name)} here"
        for name in ALIKE
        if own.get(name) != other.get(name)
    ]
    if apart:
        raise UserError(
            f"The layers in {path} were found in another way, so they do not compare: {'; '.join(apart)}. Dissect both "
            "alike."
        )
    return kept["layers"]


def parts_of(protocol: str) -> dict[str, str]:
    """A protocol's parts by their names.

    >>> parts_of("n=8;top=0.01")
    {'n': '8', 'top': '0.01'}
    """
    return dict(part.split("=", 1) for part in protocol.split(";"))
