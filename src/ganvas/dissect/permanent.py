"""Units silenced for good: in the weights, so that the model draws without them wherever it is used.

A unit that is set to 0 behind an activation stays 0 if what feeds it is 0 and the activation leaves 0 as it is, as ReLU
and its kin do: its row of weights and its bias in the layer before are cleared. Whether that is the same as the edit is
not believed but tried, on pictures; where it is not (a bias in between, a sigmoid), the edit is refused.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import torch
from torch import nn

from ganvas.anatomy.trace.recorder import tensors
from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json, write_json
from ganvas.core.files.typed_json import require
from ganvas.dissect.instrument import ablated, units_mask
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject
from ganvas.train import checkpoint, trained

TRIED = 16  # Pictures.
CLOSE = 1e-4  # Largest difference of a colour from -1 to 1 that is rounding.


class UnitsFile(TypedDict):
    """Units that a person chose, as a file."""

    layer: str
    units: list[int]


@dataclass(frozen=True, kw_only=True)
class UnitSet:
    """Units of a layer."""

    place: Place
    units: tuple[int, ...]


def read_units(path: Path, subject: Subject) -> UnitSet:
    """The units of a file, found in a network.

    Raises:
        UserError: the file is not there or not one of these, or the network has no such layer or unit.
    """
    if not path.is_file():
        raise UserError(f'There is no file {path}. It names a layer and units: {{"layer": "#11", "units": [3, 17]}}.')
    said = require(UnitsFile, read_json(path), str(path))
    place = subject.numbering.place(said["layer"])
    if not said["units"]:
        raise UserError(
            f"{path} names no units. Put the numbers of some of the {place.units} units of the layer there."
        )
    units_mask(place, said["units"])
    return UnitSet(place=place, units=tuple(said["units"]))


def write_units(path: Path, place: Place, units: Sequence[int]) -> None:
    """Writes units as a file that a person may edit."""
    write_json(path, UnitsFile(layer=place.name, units=list(units)))


@torch.no_grad()
def silenced_for_good(subject: Subject, chosen: UnitSet) -> tuple[nn.Module, float]:
    """A copy of the subject's module with the units cleared from its weights, and how far it is from the edit.

    Returns:
        The module, and the largest difference of a colour over some pictures.

    Raises:
        UserError: clearing weights is not the same as silencing the units.
    """
    inputs = subject.series("permanent", 0, TRIED)
    wanted, _ = subject.run(inputs, edits=[ablated(chosen.place, chosen.units)])
    layer = layer_before(subject, chosen.place)
    apart = float("inf")
    for axis in (0, 1):
        module = copy.deepcopy(subject.module)
        network = module.get_submodule(path_of(subject))
        if not _cleared(network.get_submodule(layer), chosen, axis):
            continue
        drawn = next(tensors(module(*inputs))).clamp(-1, 1)
        apart = min(apart, float((drawn - wanted).abs().max()))
        if apart <= CLOSE:
            return module, apart
    raise UserError(
        f"Units of {chosen.place.title} cannot be silenced in the weights: clearing {layer} draws other pictures than "
        f"silencing the units does (by up to {apart:.2g} of colours from -1 to 1). Choose a layer right behind an "
        "activation that leaves 0 as it is."
    )


def path_of(subject: Subject) -> str:
    """Where the network is in the module."""
    return next(name for name, part in subject.module.named_modules() if part is subject.network)


def layer_before(subject: Subject, place: Place) -> str:
    """The module whose weights the place follows."""
    nodes = subject.numbering.graph.nodes
    node = nodes[int(place.name[1:])]
    while not node.parameters and not node.shared:
        if len(node.inputs) != 1:
            raise UserError(
                f"{place.title} is made of several layers' values at once, so no one layer's weights silence its units."
            )
        node = nodes[node.inputs[0]]
    return node.module


def _cleared(layer: nn.Module, chosen: UnitSet, axis: int) -> bool:
    """Clears what the units get from a layer; False where its weights have no such axis."""
    units, rows = chosen.place.units, list(chosen.units)
    done = False
    for parameter in layer.parameters():
        if parameter.dim() == 1 and len(parameter) == units:
            parameter[rows] = 0.0
        elif parameter.dim() > 1 and axis == 0 and parameter.shape[0] % units == 0:
            each = parameter.shape[0] // units  # Of a dense layer that gives a map: its rows go unit by unit.
            parameter[[unit * each + row for unit in rows for row in range(each)]] = 0.0
            done = True
        elif parameter.dim() > 1 and axis == 1 and parameter.shape[1] == units:
            parameter[:, rows] = 0.0
            done = True
    return done


def save_edited(
    run: Path, module: nn.Module, chosen: UnitSet, out: Path, *, kimg: float | None, where: str | None = None
) -> None:
    """Writes the model of a run with changed weights as a model folder of its own, which every verb takes.

    Args:
        where: The label at which the units were silenced, and not everywhere.

    Raises:
        UserError: something else is at ``out``.
    """
    if out.exists() and not (out / "model.json").is_file() and any(out.iterdir() if out.is_dir() else [out]):
        raise UserError(f"{out} is there and no model. Choose another --out, or remove what is in it.")
    tensors, numbers = checkpoint.load(trained.model_folder(run, kimg), "model")
    named = module.get_submodule("model").state_dict()
    header = checkpoint.Header.__annotations__
    kept = {key: value for key, value in numbers.items() if key not in header}
    edit = {"layer": chosen.place.name, "units": list(chosen.units), **({} if where is None else {"where": where})}
    cleared = {name: named[name].contiguous() for name in tensors}
    checkpoint.save(out, "model", cleared, {**kept, "silenced": [*kept.get("silenced", []), edit]})
