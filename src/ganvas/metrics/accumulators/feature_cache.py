"""Remembers what one set of pictures was reduced to, so that a reference's features are computed once and not again.

One file per accumulator in ``measures/`` of the user's cache folder, in the form of
:mod:`ganvas.metrics.accumulators.npz`. Its name is a hash of everything that decides its content: the pictures and
their order, the metric and its settings, the network (weights, resize, precision) and tap, the seed, the code
of Ganvas' metrics and features, and the version of torch. So nothing in it can be out of date; what is not asked for
any more is removed, the longest unused first, when the folder grows beyond :data:`BOUND_BYTES`.

A file takes its name when it is whole (two processes that compute the same at once both do, and the last rename wins);
one that is damaged is removed and computed anew. Pictures themselves, and what metrics keep of pixels, are not
remembered: to read them is as quick as to compute them.
"""

import ast
import functools
import hashlib
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.core import catalogue
from ganvas.core.config import to_plain
from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file
from ganvas.core.files.partials import PARTIAL
from ganvas.data.cache import cache_folder
from ganvas.metrics.accumulators.feature_pass import Seen
from ganvas.metrics.accumulators.metric_contract import Stats
from ganvas.metrics.accumulators.npz import Npz, tables, write
from ganvas.metrics.measuring import metric_catalogue

FORMAT = 2
SEEN = "seen"  # The name of what the pictures were.
FOLDER = "measures"
BOUND_BYTES = 16 << 30  # Two references of a million Inception rows.
STALE_SECONDS = 86_400.0  # A half-written file of that age has no writer any more.


@dataclass
class Remembered:
    """The accumulators of one set of pictures, for :func:`ganvas.metrics.accumulators.feature_pass.gather`."""

    content: str  # The pictures and their order: see :func:`content_of`.
    device: str = "cpu"  # Where features are computed: rounding differs between kinds of machines.
    folder: Path | None = None
    hits: list[str] = field(default_factory=list)  # Metrics that were found.

    def find(self, name: str, empty: Stats) -> tuple[Stats, Seen] | None:
        """The filled accumulator of a metric and what the pictures were; None when it is not there."""
        if metric_catalogue.load(name).SEES == "pixels":
            return None
        path = self._path(name, empty)
        if not path.exists():
            return None
        try:
            found = _read(path, type(empty), empty)
        except (UserError, KeyError, ValueError, OSError):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)  # Used now: the last to be removed.
        self.hits.append(name)
        return found

    def keep(self, name: str, stats: Stats, seen: Seen) -> None:
        """Remembers an accumulator; a disk that is full or read-only costs time later, not the answer."""
        if metric_catalogue.load(name).SEES == "pixels":
            return
        path = self._path(name, stats)
        with suppress(UserError, OSError):
            with atomic_file(path) as partial:
                write(partial, _members(stats, seen))
            tidy(path.parent)

    def _path(self, name: str, stats: Stats) -> Path:
        return (self.folder or cache_folder() / FOLDER) / f"{self.key(name, stats)}.npz"

    def key(self, name: str, stats: Stats) -> str:
        """A hash of all that decides what the accumulator holds."""
        shared = {"shares": stats.shares}
        own = {"metric": name, "config": to_plain(stats.config)}
        decides = {
            "format": FORMAT,
            "content": self.content,
            "what": shared if stats.shares else own,
            "tap": metric_catalogue.load(name).SEES,
            "rows_of": stats.rows_of,
            "seed": stats.seed,
            "program": program_text(),
            "torch": torch.__version__,
            "device": self.device,
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:40]


def content_of(pictures: str, order: Any) -> str:
    """Names pictures and the order in which they are drawn.

    Args:
        pictures: The fingerprint of a packed set: of every byte, after resizing.
        order: The drawn rows, as integers.
    """
    drawn = np.ascontiguousarray(np.asarray(order), dtype="<i8").tobytes()
    return f"{pictures}:{hashlib.sha256(drawn).hexdigest()}"


@functools.cache
def program_text() -> str:
    """A hash of the code of the metrics and the feature networks: whoever changes it starts with an empty cache."""
    digest = hashlib.sha256()
    for part in ("metrics", "features"):
        for path in sorted((catalogue.PACKAGE / part).rglob("*.py")):
            code = code_of(path.read_text(encoding="utf-8"))
            digest.update(f"{path.relative_to(catalogue.PACKAGE)}\n{code}\n".encode())
    return digest.hexdigest()


def code_of(text: str) -> str:
    """What a file does, without its comments, docstrings and layout.

    >>> code_of("def f():\\n    'One.'\\n    return 1  # One.") == code_of("def f(): return 1")
    True
    """
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [line for line in node.body if not _is_prose(line)]
    return ast.dump(tree)


def _is_prose(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)


def tidy(folder: Path, *, bound: int | None = None) -> None:
    """Removes the longest unused files beyond the bound, and what killed processes left half-written."""
    bound = BOUND_BYTES if bound is None else bound
    for leftover in folder.glob(f"{PARTIAL}*"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > STALE_SECONDS:
                leftover.unlink()
    files = []
    for path in folder.glob("*.npz"):
        with suppress(OSError):
            files.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= bound:
            return
        with suppress(OSError):
            path.unlink()
            total -= size


def _members(stats: Stats, seen: Seen) -> dict[str, Any]:
    members: dict[str, Any] = {SEEN: np.frombuffer(json.dumps(seen).encode(), np.uint8)}
    members |= {key: value.numpy() for key, value in stats.state_without_tables().items()}
    return members | tables(stats.tables)


def _read(path: Path, kind: type[Stats], empty: Stats) -> tuple[Stats, Seen]:
    npz = Npz(path)
    state: dict[str, Any] = {}
    for name in npz.headers:
        if name.startswith("table."):
            state[name] = (torch.from_numpy(slab) for slab in npz.slabs(name))
        elif name != SEEN:
            state[name] = torch.from_numpy(npz.array(name))
    if empty.shares:  # The rows of another metric, perhaps: its settings are not this one's.
        said = json.loads(bytes(state["settings"].tolist())) | {"config": to_plain(empty.config)}
        state["settings"] = torch.tensor(list(json.dumps(said).encode()), dtype=torch.uint8)
    fingerprint, shape = json.loads(npz.array(SEEN).tobytes())
    return kind.from_state(state), Seen(fingerprint, shape and tuple(shape))
