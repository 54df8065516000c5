"""The folder of a search: what is searched, one line per setting that is done, and the runs.

::

    search/
      search.json     model, data, ranges, seed, method; how many settings were tried
      trials.jsonl    one line per setting: its values, what it scored, how it ended
      seeds.jsonl     the same of the best setting with other seeds, where those were asked for
      runs/000/       the run of each, as any other; runs/000-seed-1/ with another seed
      search.html     the page; .csv beside it
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json, write_json
from ganvas.core.files.disk_errors import explain_disk_errors
from ganvas.core.files.json_lines import append_line, read_lines

DESCRIPTION, TRIALS, SEEDS, PAGE = "search.json", "trials.jsonl", "seeds.jsonl", "search.html"
FREE_TO_CHANGE = ("settings", "seeds", "tried")  # A search may be made longer.


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One setting that was tried, with the seed of its preset or, once it was the best, with another."""

    index: int
    changes: Mapping[str, Any]  # By field; empty for the default.
    status: str  # "finished", "diverged" or "refused".
    value: float | None  # None where it did not finish.
    standard_error: float | None = None
    start: float | None = None  # What the net scored before its first step.
    seconds: float = 0.0
    cause: str = ""
    seed: int | None = None  # None for that of the preset.


class SearchFolder:
    """Paths and notes of one search."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, described: Mapping[str, Any]) -> None:
        """Notes what is searched; a search that is there must be the same.

        Raises:
            UserError: the folder holds something else, or a search that was begun otherwise.
        """
        path = self.path / DESCRIPTION
        if path.exists():
            before = read_json(path)
            for name, value in described.items():
                if name not in FREE_TO_CHANGE and before.get(name) != value:
                    raise UserError(
                        f"{self.path} was begun with {name}={before.get(name)}, and now {name}={value} is asked for. "
                        "Give the same to resume, or choose another --out."
                    )
            write_json(path, before | dict(described))
            return
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UserError(f"{self.path} is not a search and not empty. Choose another --out.")
        with explain_disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        write_json(path, dict(described) | {"tried": 0})

    def asked_for(self) -> int | None:
        """How many settings the search that is there was last asked for; None where there is none."""
        path = self.path / DESCRIPTION
        return read_json(path).get("settings") if path.exists() else None

    def run_at(self, index: int, seed: int | None = None) -> Path:
        """The folder of a setting's run."""
        return self.path / "runs" / (f"{index:03d}" if seed is None else f"{index:03d}-seed-{seed}")

    def trials(self) -> list[Trial]:
        """What is done, in the order of the settings; a line that is damaged is tried again."""
        found = {trial.index: trial for trial in self._lines(TRIALS)}
        return [found[index] for index in sorted(found)]

    def with_seeds(self, index: int) -> list[Trial]:
        """What is done of one setting with other seeds, in the order of these."""
        found = {trial.seed: trial for trial in self._lines(SEEDS) if trial.index == index and trial.seed is not None}
        return [found[seed] for seed in sorted(found)]

    def _lines(self, name: str) -> list[Trial]:
        return [Trial(**line.entry) for line in read_lines(self.path / name) if line.entry is not None]

    def add(self, trial: Trial) -> None:
        """Notes a setting that is done."""
        plain = asdict(trial)
        finite = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in plain.items()
        }
        append_line(self.path / (TRIALS if trial.seed is None else SEEDS), finite)
        path = self.path / DESCRIPTION
        write_json(path, read_json(path) | {"tried": len(self.trials())})
