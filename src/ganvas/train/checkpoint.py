"""Tensors as safetensors, numbers as JSON, both or neither; nothing is ever unpickled.

A folder holds ``<name>.safetensors`` and ``<name>.json``; the JSON carries the tensors' SHA-256, so a file that was cut
short or altered is refused before anything is taken from it.
"""

import hashlib
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganvas.core.atomic_files import atomic_folder, read_json, write_json
from ganvas.core.errors import UserError

FORMAT = 1


def save(folder: Path, name: str, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Writes one folder atomically."""
    with atomic_folder(folder) as partial:
        file = partial / f"{name}.safetensors"
        save_file(tensors, file)
        write_json(partial / f"{name}.json", {"format": FORMAT, "sha256": digest(file), **numbers})


def read_numbers(folder: Path, name: str) -> dict[str, Any]:
    """The JSON beside the tensors."""
    file = folder / f"{name}.json"
    if not file.exists():
        raise UserError(f"{folder} holds no {name}.json. It is not whole; remove it to go on from an older one.")
    numbers = read_json(file)
    if not isinstance(numbers, dict) or numbers.get("format") != FORMAT:
        given = numbers.get("format") if isinstance(numbers, dict) else None
        raise UserError(f"{file} has format {given}, and this version of Ganvas reads format {FORMAT}.")
    if "sha256" not in numbers:
        raise UserError(
            f"{file} was edited: it has no SHA-256 of the tensors. Remove {folder} to go on from an older one."
        )
    return numbers


def load(folder: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the CPU) and numbers of one folder.

    Raises:
        UserError: something is missing, cut short or altered.
    """
    numbers = read_numbers(folder, name)
    file = folder / f"{name}.safetensors"
    if not file.exists():
        raise UserError(f"{folder} holds no {name}.safetensors. Remove the folder to go on from an older one.")
    if digest(file) != numbers["sha256"]:
        raise UserError(
            f"{file} was cut short or altered: its SHA-256 is not the one noted when it was written. "
            f"Remove {folder} to go on from an older one."
        )
    try:
        return load_file(file), numbers
    except SafetensorError as error:
        raise UserError(
            f"{file} is not a safetensors file ({error}). Remove {folder} to go on from an older one."
        ) from None


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
