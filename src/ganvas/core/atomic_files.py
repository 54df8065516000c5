"""Files and folders that are either wholly there or not there at all.

What is written goes to a neighbour with a name that starts with ``.partial-``, is flushed to the disk, and takes its
final name in one rename. A process killed at any moment leaves the old state, or the new one, and perhaps a
``.partial-`` that the next run sweeps away.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError

PARTIAL = ".partial-"


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a path to write to; on a clean exit it becomes ``path`` (replacing what was there)."""
    with explain_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.parent / f"{PARTIAL}{os.getpid()}-{path.name}"
        try:
            yield partial
            _flush(partial)
            os.replace(partial, path)
            _flush(path.parent)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder to fill; on a clean exit it becomes ``path``.

    An older ``path`` is replaced in two renames; a kill between the two leaves no ``path``, never half of one.
    """
    with explain_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.parent / f"{PARTIAL}{os.getpid()}-{path.name}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            for file in partial.rglob("*"):
                _flush(file)
            _flush(partial)
            if path.exists():
                old = path.parent / f"{PARTIAL}{os.getpid()}-old-{path.name}"
                os.rename(path, old)
                os.rename(partial, path)
                shutil.rmtree(old)
            else:
                os.rename(partial, path)
            _flush(path.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Writes a whole text file atomically."""
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON atomically. ``nan`` and infinities are refused: other tools cannot read them."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads JSON; a cut or altered file is a :class:`UserError` that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} is not whole JSON ({error}). It was cut short or edited; restore or remove it."
        ) from None


def sweep_partials(folder: Path) -> None:
    """Removes what killed processes left behind in ``folder``."""
    for leftover in folder.glob(f"{PARTIAL}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


@contextmanager
def explain_disk_errors(path: Path) -> Iterator[None]:
    """Turns a full or read-only disk, or a path that cannot be written, into a :class:`UserError`."""
    reasons = {
        errno.ENOSPC: "the disk is full. Free some space, or choose a folder on another disk.",
        errno.EDQUOT: "the disk quota is used up. Free some space, or choose a folder on another disk.",
        errno.EROFS: "the disk is read-only. Choose a folder that can be written.",
        errno.EACCES: "there is no permission to write there. Choose a folder that can be written.",
        errno.EPERM: "there is no permission to write there. Choose a folder that can be written.",
        errno.ENOTDIR: "a part of the path is a file, not a folder. Choose another path.",
        errno.EISDIR: "a folder is there. Choose another path, or remove the folder.",
        errno.EEXIST: "a file is there. Choose another path, or remove the file.",
    }
    try:
        yield
    except OSError as error:
        if error.errno in reasons:
            raise UserError(f"{path} cannot be written: {reasons[error.errno]}") from error
        raise


def _flush(path: Path) -> None:
    """Asks the disk to keep what was written before the rename that makes it visible."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
