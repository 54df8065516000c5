"""A folder of changed pictures that is filled file by file: stopped at any moment, the same command goes on.

Every file appears when it is whole, and nothing appears before the first one. ``<verb>.json`` in the folder says how
they are made; a folder that is made otherwise is refused. ``<verb>.jsonl`` says of each file, a line each, what it was
made of: where that has changed since, the file is made again.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json, require_writable, write_bytes, write_json
from ganvas.core.files.json_lines import append_line, read_lines
from ganvas.core.files.partials import PARTIAL


class OutputFolder:
    """The folder of one command.

    Args:
        path: Where it is, or is to be.
        verb: What is done: "translate".
        made_by: Everything that decides what is made of a file: the model's fingerprint, the settings.

    Raises:
        UserError: files are there that another command, or other settings, made, or nothing can be written there.
    """

    def __init__(self, path: Path, verb: str, made_by: Mapping[str, Any]) -> None:
        self.path, self.record, self.lines = path, path / f"{verb}.json", path / f"{verb}.jsonl"
        self.made_by = {"verb": verb, **made_by}
        self.renewed = 0  # Files that were there, made of something else.
        self._begun = False
        if path.is_file():
            raise UserError(f"-o {path} is a file, and a folder is written. Choose another name.")
        if self._holds_files():
            if not self.record.exists():
                raise UserError(f"-o {path}: something is there already. Choose another name, or remove it.")
            before = read_json(self.record)
            self._require_same(before if isinstance(before, dict) else {})
        require_writable(self.record)
        entries = [line.entry for line in read_lines(self.lines)]
        self._made_of = {str(entry.get("file")): entry.get("made_of") for entry in entries if entry}

    def done(self, name: str, made_of: Mapping[str, str]) -> bool:
        """Whether the file is there from an earlier time, made of the same.

        Args:
            name: Of the file, below the folder.
            made_of: The :func:`fingerprint` of everything that it is made of.
        """
        return (self.path / name).exists() and self._made_of.get(name) == made_of

    def write(self, name: str, content: bytes, made_of: Mapping[str, str] | None = None) -> None:
        """A file below the folder, whole or not at all; ``made_of`` as for :meth:`done`, which asks for it."""
        self._begin()
        place = self.path / name
        if made_of is not None and self._made_of.get(name) != made_of:
            self.renewed += place.exists()
            place.unlink(missing_ok=True)  # First: a line never stands beside a file that it does not describe.
            append_line(self.lines, {"file": name, "made_of": dict(made_of)})
            self._made_of[name] = dict(made_of)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(place, content)

    def _begin(self) -> None:
        """The folder and what says how it is made, with its first file."""
        if not self._begun:
            self.path.mkdir(parents=True, exist_ok=True)
            write_json(self.record, self.made_by)
            self._begun = True

    def _holds_files(self) -> bool:
        """Whether anything is there beside what says how it is made."""
        if not self.path.exists():
            return False
        return any(
            path not in (self.record, self.lines) and not path.name.startswith(PARTIAL) for path in self.path.iterdir()
        )

    def _require_same(self, before: Mapping[str, Any]) -> None:
        for key, value in self.made_by.items():
            if before.get(key) != value:
                raise UserError(
                    f"-o {self.path} holds pictures made with {key} {before.get(key)}, and now it is {value}. "
                    "Give the same to go on with them, or choose another name."
                )


def fingerprint(data: bytes) -> str:
    """What tells the bytes of one file from those of another."""
    return hashlib.sha256(data).hexdigest()[:16]
