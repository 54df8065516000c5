"""A folder of changed pictures that is filled file by file: stopped at any moment, the same command goes on.

Every file appears when it is whole. ``<verb>.json`` in the folder says what made them; a folder that something else
made is refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json, write_bytes, write_json


class OutputFolder:
    """The folder of one command.

    Args:
        path: Where it is, or is to be.
        verb: What is done: "translate".
        made_by: Everything that decides what the files hold: the model's fingerprint, the settings.

    Raises:
        UserError: files are there that another command, or other settings, made.
    """

    def __init__(self, path: Path, verb: str, made_by: Mapping[str, Any]) -> None:
        self.path, self.record = path, path / f"{verb}.json"
        wanted = {"verb": verb, **made_by}
        if path.is_file():
            raise UserError(f"-o {path} is a file, and a folder is written. Choose another name.")
        if self.record.exists():
            before = read_json(self.record)
            self._require_same(before if isinstance(before, dict) else {}, wanted)
        elif path.exists() and any(path.iterdir()):
            raise UserError(f"-o {path}: something is there already. Choose another name, or remove it.")
        path.mkdir(parents=True, exist_ok=True)
        write_json(self.record, wanted)

    def done(self, name: str) -> bool:
        """Whether the file is there from an earlier time."""
        return (self.path / name).exists()

    def write(self, name: str, content: bytes) -> None:
        """A file below the folder, whole or not at all."""
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(place, content)

    def _require_same(self, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        for key, value in wanted.items():
            if before.get(key) != value:
                raise UserError(
                    f"-o {self.path} holds pictures made with {key} {before.get(key)}, and now it is {value}. "
                    "Give the same to go on with them, or choose another name."
                )
