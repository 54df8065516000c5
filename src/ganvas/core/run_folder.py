"""The run directory: the only thing that passes between commands. docs/architecture.md has its layout."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganvas.core.atomic_files import (
    append_line,
    explain_disk_errors,
    only_one,
    read_json,
    sweep_partials,
    write_json,
    write_text,
)
from ganvas.core.errors import UserError

FORMAT = 1


def kimg_name(nimg: int) -> str:
    """Images shown as a name that sorts: 12,345 images are ``000012.345``."""
    return f"{nimg // 1000:06d}.{nimg % 1000:03d}"


class RunFolder:
    """Paths, logs and states of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        return (self.path / "run.json").exists()

    def create(self, described: dict[str, Any]) -> None:
        """Begins a run in a folder that is new or empty."""
        self.require_free()
        with explain_disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "run.json", {"format": FORMAT, **described})

    def require_free(self) -> None:
        """Refuses a path that holds something else than a run."""
        if self.path.is_dir() and any(entry for entry in self.path.iterdir() if not entry.name.startswith(".")):
            raise UserError(f"{self.path} is not a run and not empty. Choose another --out, or remove what is in it.")
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} cannot be a run: a file is there. Choose another --out, or remove the file.")

    def describe(self) -> dict[str, Any]:
        """run.json."""
        if not self.exists:
            raise UserError(
                f"{self.path} is not a run: it has no run.json. `ganvas train ... --out {self.path}` makes one."
            )
        described = read_json(self.path / "run.json")
        if not isinstance(described, dict) or described.get("format") != FORMAT:
            raise UserError(f"{self.path / 'run.json'} is of another version of Ganvas, or was edited.")
        return described

    def note(self, **changes: Any) -> None:
        """Changes some entries of run.json."""
        write_json(self.path / "run.json", self.describe() | changes)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While inside, no other process trains into this run."""
        taken = f"{self.path} is being trained by another process. Wait for it, stop it, or choose another --out."
        with only_one(self.path / ".training", taken):
            yield

    def states(self) -> list[Path]:
        """Saved states, oldest first."""
        return sorted(self._numbered("state"))

    def models(self) -> list[Path]:
        """Published models, oldest first."""
        return sorted(self._numbered("model"))

    def state_at(self, nimg: int) -> Path:
        return self.path / "state" / kimg_name(nimg)

    def model_at(self, nimg: int) -> Path:
        return self.path / "model" / kimg_name(nimg)

    def sweep(self) -> None:
        """Removes what killed processes left half-written."""
        for folder in (self.path, self.path / "state", self.path / "model", self.path / "samples"):
            if folder.is_dir():
                sweep_partials(folder)

    def keep_only(self, kept: set[str]) -> None:
        """Removes the states and models that are not to be kept."""
        for folder in (*self.states(), *self.models()):
            if folder.name not in kept:
                shutil.rmtree(folder)

    def append(self, file: str, entry: dict[str, Any]) -> None:
        """One line of JSON."""
        append_line(self.path / file, entry)

    def lines(self, file: str) -> list[dict[str, Any]]:
        """The whole lines of a log; a torn last one is left out."""
        path = self.path / file
        if not path.exists():
            return []
        parsed = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                parsed.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return parsed

    def rewind(self, nimg: int) -> None:
        """Forgets what was logged after ``nimg``: the run that goes on from there will write it again."""
        for file in ("log.jsonl", "cost.jsonl", "measures.jsonl"):
            if (self.path / file).exists():
                kept = [entry for entry in self.lines(file) if not _written_after(entry, nimg)]
                write_text(self.path / file, "".join(json.dumps(entry) + "\n" for entry in kept))
        for sheet in (self.path / "samples").glob("[0-9]*.png"):
            if sheet.stem > kimg_name(nimg):
                sheet.unlink()

    def _numbered(self, kind: str) -> list[Path]:
        folder = self.path / kind
        if not folder.is_dir():
            return []
        return [entry for entry in folder.iterdir() if entry.is_dir() and entry.name[:1].isdigit()]


def _written_after(entry: dict[str, Any], nimg: int) -> bool:
    """Whether training wrote a line beyond ``nimg``; what a person measured later stays."""
    if entry.get("source", "training") != "training":
        return False
    shown = entry.get("nimg")
    return (round(entry.get("kimg", 0) * 1000) if shown is None else shown) > nimg
