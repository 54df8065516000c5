"""Tensors as safetensors, numbers as JSON, both or neither; nothing is ever unpickled.

A folder holds ``<name>.safetensors`` and ``<name>.json``; the JSON carries the SHA-256 of the tensors and of its own
numbers, so a file that was cut short or altered is refused before anything is taken from it.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_folder, write_json
from ganvas.core.files.typed_json import InRange, Matching, parse, require
from ganvas.core.run_folder import kimg_name

FORMAT = 2
Count = Annotated[int, InRange(0)]
Side = Annotated[int, InRange(1, 1 << 20)]
Sha256 = Annotated[str, Matching("[0-9a-f]{64}", "a SHA-256")]


class Damaged(UserError):
    """A folder is not as it was written: a file of it is missing, cut short or altered."""


class Header(TypedDict):
    """What every folder's JSON begins with."""

    format: int
    sha256: Sha256
    numbers_sha256: Sha256


class Counters(TypedDict):
    """Where a state stands."""

    nimg: Count
    step: Count
    stage_phase: Count
    counts: dict[str, Count]
    best: list[dict[str, float]]


class StateJson(TypedDict):
    numbers: Counters


class Fitted(TypedDict, total=False):
    """The data of a model, as far as drawing needs it."""

    spec: str
    height: Side
    width: Side
    channels: Side
    class_names: list[str] | None
    fingerprint: str
    fit: str | None
    background: str | None
    broken: str | None


class ModelJson(TypedDict):
    model: str
    config: dict[str, Any]
    nimg: Count
    resolution: Side | None
    fade: Annotated[float, InRange(0, 1)] | None
    data: Fitted
    kimg: NotRequired[float]


KINDS: dict[str, type] = {"state": StateJson, "model": ModelJson}


def save(folder: Path, name: str, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Writes one folder atomically."""
    with atomic_folder(folder) as partial:
        file = partial / f"{name}.safetensors"
        save_file(tensors, file)
        header = {"format": FORMAT, "sha256": digest(file), "numbers_sha256": _digest_of_numbers(numbers)}
        write_json(partial / f"{name}.json", {**header, **numbers})


def read_numbers(folder: Path, name: str) -> dict[str, Any]:
    """The JSON beside the tensors.

    Raises:
        Damaged: it is missing, cut short or altered.
        UserError: it is of another version.
    """
    file = folder / f"{name}.json"
    advice = f"Remove {folder} to resume from an older one."
    if not file.exists():
        raise Damaged(f"{folder} holds no {name}.json. It is not whole: {advice[0].lower()}{advice[1:]}")
    try:
        numbers = parse(file.read_bytes(), str(file), advice=advice)
    except UserError as error:
        raise Damaged(str(error)) from None
    given = numbers.get("format") if isinstance(numbers, dict) else None
    if given != FORMAT:
        raise UserError(f"{file} has format {str(given)[:20]}, and this version of Ganvas reads format {FORMAT}.")
    header = require(Header, numbers, str(file), advice=advice)
    if name in KINDS:
        require(KINDS[name], numbers, str(file), advice=advice)
    own = {key: value for key, value in numbers.items() if key not in Header.__annotations__}
    if _digest_of_numbers(own) != header["numbers_sha256"]:
        was = "the SHA-256 of its numbers is not the one noted when it was written"
        raise Damaged(f"{file} was edited or altered: {was}. {advice}")
    return numbers


def load(folder: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the CPU) and numbers of one folder.

    Raises:
        Damaged: something is missing, cut short or altered.
        UserError: it is of another version, was renamed, or is no number.
    """
    numbers = read_numbers(folder, name)
    file = folder / f"{name}.safetensors"
    if not file.exists():
        raise Damaged(f"{folder} holds no {name}.safetensors. Remove the folder to resume from an older one.")
    if digest(file) != numbers["sha256"]:
        raise Damaged(
            f"{file} was cut short or altered: its SHA-256 is not the one noted when it was written. "
            f"Remove {folder} to resume from an older one."
        )
    if name == "state" and kimg_name(numbers["numbers"]["nimg"]) != folder.name:
        raise UserError(
            f"{folder} was renamed: its state is of {kimg_name(numbers['numbers']['nimg'])} kimg. Give it that name."
        )
    return _finite(_tensors(file, folder), file, name), numbers


def _tensors(file: Path, folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}.") from None
    except (SafetensorError, RuntimeError, KeyError, ValueError, TypeError, UnicodeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise Damaged(
            f"{file} is not a safetensors file ({reason}). Remove {folder} to resume from an older one."
        ) from None


def _finite(tensors: dict[str, Tensor], file: Path, name: str) -> dict[str, Tensor]:
    """Refuses a model with a weight that is no number: it would draw black pictures, and be measured."""
    for key, tensor in tensors.items() if name == "model" else ():
        if tensor.is_floating_point() and bool(torch.isnan(tensor).any()):
            raise UserError(
                f"{file} holds weights that are not numbers (nan, in '{key}'): it draws nothing. Take another model of "
                "the run (--kimg)."
            )
    return tensors


def _digest_of_numbers(numbers: dict[str, Any]) -> str:
    """SHA-256 of the numbers as JSON, however a file orders and indents them."""
    text = json.dumps(numbers, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
