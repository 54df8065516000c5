"""The run directory: the only thing that passes between commands. docs/architecture.md has its layout."""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.files.atomic_files import read_json, remove_folder, require_temporary_folder, write_bytes, write_json
from ganvas.core.files.disk_errors import explain_disk_errors
from ganvas.core.files.file_locks import holder, last_holder, only_one
from ganvas.core.files.json_lines import append_line, read_lines
from ganvas.core.files.partials import sweep_partials
from ganvas.core.progress import say

FORMAT = 2  # 1: configurations and states before samples of other kinds than pictures.
DESCRIPTION = "run.json"
MEASURES = "measures.jsonl"
HEALTH = "health.jsonl"
TRAINING = ".training"  # Held by the process that trains.
LOGS = ("log.jsonl", "cost.jsonl", MEASURES, HEALTH)


def kimg_name(nimg: int) -> str:
    """Images shown as a name that sorts: 12,345 images are ``000012.345``."""
    return f"{nimg // 1000:06d}.{nimg % 1000:03d}"


def is_run_or_model(path: Path) -> bool:
    """Whether a folder holds a run, or one published model of it."""
    return (path / DESCRIPTION).exists() or (path / "model.json").exists()


def run_around(path: Path) -> "RunFolder | None":
    """The run that a path to it, or to one of its models, belongs to."""
    folders = (path, *path.resolve().parents[1:2])
    return next((RunFolder(folder) for folder in folders if (folder / DESCRIPTION).exists()), None)


class RunFolder:
    """Paths, logs and states of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_still_there: Callable[[], bool] | None = None  # While this process trains into it.
        self._told: set[Path] = set()  # Of what could not be removed.

    @property
    def exists(self) -> bool:
        return (self.path / DESCRIPTION).exists()

    @property
    def samples(self) -> Path:
        """Folder of the grids that training draws."""
        return self.path / "samples"

    @property
    def dissection(self) -> Path:
        """What `ganvas dissect` has found, as JSON, where it was not asked to write elsewhere."""
        return self.path / "dissection" / "dissection.json"

    def create(self, described: dict[str, Any]) -> None:
        """Begins a run in a folder that is new or empty; of two processes that try at once one does."""
        self.require_free()
        require_temporary_folder()  # torch wants one, which would be told after the run was begun.
        with self.held():
            self.require_free()
            write_json(self.path / DESCRIPTION, {"format": FORMAT, "id": _identity(described), **described})

    def require_free(self) -> None:
        """Refuses a path that holds something else than a run."""
        self._require_name()
        if self.exists:
            raise UserError(f"Another process has just begun a run in {self.path}. Choose another --out.")
        if self.path.is_dir() and any(entry for entry in self.path.iterdir() if not entry.name.startswith(".")):
            raise UserError(f"{self.path} is not a run and not empty. Choose another --out, or remove what is in it.")
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} cannot be a run: a file is there. Choose another --out, or remove the file.")

    def describe(self, *, of_earlier_versions: bool = False) -> dict[str, Any]:
        """run.json. What is only looked at, and not resumed or measured, may be ``of_earlier_versions``."""
        self._require_name()
        if not self.exists:
            raise UserError(
                f"{self.path} is not a run: it has no run.json. `ganvas train ... --out {self.path}` makes one."
            )
        described = read_json(self.path / DESCRIPTION)
        formats = range(1, FORMAT + 1) if of_earlier_versions else (FORMAT,)
        if not isinstance(described, dict) or described.get("format") not in formats:
            raise UserError(_of_another_format(self.path, described))
        return described

    @property
    def identity(self) -> str:
        """What the run's weights follow from, as a hash: equal runs are one, and states of others are refused."""
        return str(self.describe().get("id", ""))

    def note(self, **changes: Any) -> None:
        """Changes some entries of run.json."""
        self.require_held()
        write_json(self.path / DESCRIPTION, self.describe() | changes)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While inside, no other process trains into this run; the folder is made where it is not there yet."""
        taken = f"{self.path} is being trained by another process. Wait for it, stop it, or choose another --out."
        with explain_disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        with only_one(self.path / TRAINING, taken) as still_there:
            self._is_still_there = still_there
            try:
                yield
            finally:
                self._is_still_there = None

    @property
    def trainer(self) -> int | None:
        """The process of this machine that trains into the run now; None where none does."""
        return holder(self.path / TRAINING)

    @property
    def other_machine(self) -> str | None:
        """The machine that trained into the run last, where it is not this one.

        Over a shared disk it may do so still: its process cannot be seen from here.
        """
        last = last_holder(self.path / TRAINING)
        return None if last is None or last.is_here else last.host

    def require_held(self) -> None:
        """Ends a training whose folder somebody has removed, or begun anew: it would write into another run.

        Raises:
            TrainingFailed: the folder that was held is not there any more.
        """
        if self._is_still_there is not None and not self._is_still_there():
            raise TrainingFailed(
                f"{self.path} was removed or begun anew while this training went on, so nothing more is written there."
            )

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
        for folder in (self.path, self.path / "state", self.path / "model", self.samples):
            if folder.is_dir():
                sweep_partials(folder)

    def keep_only(self, kept: set[str]) -> None:
        """Removes the states and models that are not to be kept; what cannot go now is tried again the next time."""
        self.require_held()
        for folder in (*self.states(), *self.models()):
            if folder.name not in kept:
                self._remove(folder)
        for folder in (self.path / "state", self.path / "model"):
            sweep_partials(folder)

    def set_aside(self, folder: Path) -> Path:
        """Gives a state that is damaged a name that is no state's, and returns it."""
        self.require_held()
        aside = folder.with_name(f"damaged-{folder.name}")
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(folder, aside)
        return aside

    def append(self, file: str, entry: dict[str, Any]) -> None:
        """One line of JSON."""
        self.require_held()
        append_line(self.path / file, entry)

    def lines(self, file: str) -> list[dict[str, Any]]:
        """The whole lines of a log; those that cannot be read, and a torn last one, are left out."""
        return [line.entry for line in read_lines(self.path / file) if line.entry is not None]

    def sheets(self) -> list[tuple[float, Path]]:
        """The sheets that were drawn at moments of the run, by kimg: pictures whose name is a number."""
        found = [(_number(path.stem), path) for path in self._pictures()]
        return sorted((kimg, path) for kimg, path in found if kimg is not None)

    def other_sheets(self) -> list[Path]:
        """The sheets that belong to no moment, such as those of the data: ``reals.png`` first, then by name."""
        found = [path for path in self._pictures() if _number(path.stem) is None]
        return sorted(found, key=lambda path: (path.stem != "reals", path.name))

    def texts(self) -> list[tuple[float, Path]]:
        """The sheets of lines that were drawn at moments of the run, by kimg."""
        return self.drawn(".txt")

    @property
    def real_text(self) -> Path:
        """The sheet of real lines, of a run on text."""
        return self.samples / "reals.txt"

    @property
    def film(self) -> Path:
        """The sheets as an animation, once training has stopped."""
        return self.samples / "growth.webp"

    @property
    def player(self) -> Path:
        """The page that plays a run of points, once training has stopped."""
        return self.samples / "growth.html"

    def moments(self) -> list[Path]:
        """What was kept of moments of a run of points, beside their sheets, in their order."""
        return [path for _, path in self.drawn(".npz")]

    def drawn(self, ending: str) -> list[tuple[float, Path]]:
        """Files with an ending, such as ``.wav``, that were drawn at moments of the run, by kimg."""
        found = [(_number(path.stem), path) for path in self.samples.glob(f"[0-9]*{ending}")]
        return sorted((kimg, path) for kimg, path in found if kimg is not None)

    def add_measurement(self, entry: dict[str, Any]) -> Path | None:
        """Adds a line to the run's measurements. In a run that only others may write to it is left out, and said."""
        path = self.path / MEASURES
        try:
            append_line(path, entry)
        except UserError as refusal:
            say(f"Warning: The measurement is not noted in the run. {refusal}")
            return None
        return path

    def rewind(self, nimg: int) -> None:
        """Forgets what was logged after ``nimg``: the run that goes on from there will write it again."""
        self.require_held()
        for file in LOGS:
            _rewind(self.path / file, nimg)
        for sheet in self.samples.glob("[0-9]*.*"):
            if sheet.stem > kimg_name(nimg):
                sheet.unlink()

    def _require_name(self) -> None:
        """JSON, HTML and safetensors hold text, which this name is not."""
        try:
            str(self.path.absolute()).encode("utf-8")
        except UnicodeEncodeError:
            raise UserError(
                f"The name of {self.path} is not text in UTF-8, and files inside a run hold it. Choose another name."
            ) from None

    def _pictures(self) -> Iterator[Path]:
        return self.samples.glob("[!.]*.png")

    def _numbered(self, kind: str) -> list[Path]:
        folder = self.path / kind
        if not folder.is_dir():
            return []
        return [entry for entry in folder.iterdir() if entry.is_dir() and entry.name[:1].isdigit()]

    def _remove(self, folder: Path) -> None:
        try:
            remove_folder(folder)
        except OSError as error:
            if folder not in self._told:
                say(f"Warning: {error.filename or folder} cannot be removed now: {error.strerror}. It is tried again.")
            self._told.add(folder)


def _identity(described: dict[str, Any]) -> str:
    """Model, settings, seed and data as they were at the beginning; not the place or the time."""
    data, parts = described.get("data"), {name: described.get(name) for name in ("model", "config", "seed")}
    fingerprint = data.get("fingerprint") if isinstance(data, dict) else None
    text = json.dumps(parts | {"fingerprint": fingerprint}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _of_another_format(path: Path, described: Any) -> str:
    given = described.get("format") if isinstance(described, dict) else None
    if isinstance(given, int) and 0 < given < FORMAT:
        return (
            f"{path} was made by an earlier version of Ganvas (format {given}; this one reads {FORMAT}). Go on with "
            "that version, or train it anew; `ganvas report` still shows it."
        )
    return f"{path / DESCRIPTION} is of another version of Ganvas, or was edited."


def _rewind(path: Path, nimg: int) -> None:
    """Every line that is kept stays byte for byte; the file is left alone where all are."""
    lines = read_lines(path)
    kept = [line.raw for line in lines if line.entry is not None and not _written_after(line.entry, nimg)]
    damaged = [number for number, line in enumerate(lines, 1) if line.damaged]
    if damaged:
        _keep_beside(path, b"".join(line.raw for line in lines), damaged)
    if len(kept) < len(lines):
        write_bytes(path, b"".join(kept))


def _keep_beside(path: Path, content: bytes, damaged: list[int]) -> None:
    names = (path.with_name(f"{path.name}.damaged{turn or ''}") for turn in range(1000))
    beside = next((name for name in names if not name.exists()), path.with_name(f"{path.name}.damaged"))
    write_bytes(beside, content)
    which = ", ".join(map(str, damaged[:5])) + (", ..." if len(damaged) > 5 else "")
    say(
        f"Warning: {path} has lines that cannot be read (line {which}), which are left out from here on. "
        f"The file as it was is kept as {beside.name}."
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _written_after(entry: dict[str, Any], nimg: int) -> bool:
    """Whether training wrote a line beyond ``nimg``; what a person measured later stays."""
    if entry.get("source", "training") != "training":
        return False
    shown, kimg = entry.get("nimg"), entry.get("kimg")
    with suppress(TypeError, ValueError, OverflowError):
        return (round(1000 * (kimg or 0)) if shown is None else shown) > nimg
    return False  # Somebody's own line: training writes numbers.
