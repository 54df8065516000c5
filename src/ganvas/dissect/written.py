"""A dissection as files: the page, the tables as CSV, and all of it as JSON."""

import csv
import dataclasses
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ganvas.core.files.atomic_files import write_json, write_text
from ganvas.dissect.dissection import Dissection
from ganvas.dissect.dissection_page import html
from ganvas.dissect.layer_table import FILE as LAYERS
from ganvas.dissect.layer_table import DissectedLayerRow, LayersFile, layer_rows
from ganvas.dissect.layers import Unit

PAGE = "dissection.html"


def written(found: Dissection, folder: Path) -> Path:
    """Writes everything into a folder, each file whole or not at all; gives the page."""
    rows = layer_rows(found.subject, found.layers)
    table = ([row[name] for name in LAYER_HEADER] for row in map(dict, (*rows, *found.beside)))
    write_text(folder / "layers.csv", _csv(LAYER_HEADER, table))
    write_json(folder / LAYERS, LayersFile(protocol=found.protocol, layers=rows))
    write_text(folder / "units.csv", _csv(_unit_header(), _unit_rows(found)))
    if found.unit_effects is not None:
        write_text(folder / "unit_effects.csv", _csv(EFFECT_HEADER, _effect_rows(found)))
        write_text(folder / "sets.csv", _csv(SET_HEADER, _set_rows(found)))
    write_json(folder / "dissection.json", plain(found))
    write_text(folder / PAGE, html(found))
    return folder / PAGE


LAYER_HEADER = tuple(DissectedLayerRow.__annotations__)
EFFECT_HEADER = ("layer", "unit", "label", "share_before", "change", "standard_error")
SET_HEADER = (
    *("layer", "chosen_by", "chosen_for", "units", "label", "share_before", "share_after", "standard_error"),
    *("relative", "relative_standard_error"),
)


def _unit_header() -> tuple[str, ...]:
    return ("layer", *(item.name for item in dataclasses.fields(Unit)))


def _unit_rows(found: Dissection) -> Iterable[Sequence[Any]]:
    for layer in found.layers:
        for unit in layer.units:
            yield (layer.place.name, *dataclasses.astuple(unit))


def _effect_rows(found: Dissection) -> Iterable[Sequence[Any]]:
    effects = found.unit_effects
    assert effects is not None
    for unit in range(effects.place.units):
        for at, label in enumerate(found.labels):
            numbers = float(effects.before[at]), float(effects.change[unit, at]), float(effects.error[unit, at])
            yield (effects.place.name, unit, label, *numbers)


def _set_rows(found: Dissection) -> Iterable[Sequence[Any]]:
    assert found.effect_layer is not None
    for one in found.sets:
        units = " ".join(map(str, one.units))
        for effect in one.effects:
            yield (
                *(found.effect_layer.name, one.chosen_by, one.label, units, effect.label, effect.before, effect.after),
                *(effect.error, effect.relative, effect.relative_error),
            )


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_short(value) for value in row] for row in rows)
    return file.getvalue()


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def plain(value: Any) -> Any:
    """Values of JSON: dataclasses as objects, tensors as lists, six digits, what is no number as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [item.name for item in dataclasses.fields(value) if item.name != "galleries"]
        return {name: plain(getattr(value, name)) for name in fields}
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, Tensor):
        return plain(value.tolist())
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
