"""Files and folders that are either wholly there or not there at all.

What is written goes to a neighbour with a name that starts with ``.partial-``, is flushed to the disk, and takes its
final name in one rename. A process killed at any moment leaves the old state, or the new one, and perhaps a
``.partial-`` that a later command sweeps away.
"""

import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError
from ganvas.core.files.disk_errors import REASONS, explain_disk_errors
from ganvas.core.files.partials import old_beside, partial_beside, sweep_stale

# Answers where a folder cannot be flushed (old CIFS, shared folders of virtual machines, FUSE) or opened (Windows).
CANNOT_FLUSH = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS, errno.EACCES}
BINARY = os.O_BINARY if sys.platform == "win32" else 0


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a path to write to; on a clean exit it becomes ``path`` (replacing what was there).

    A link stays a link: the file that it leads to is replaced.
    """
    with explain_disk_errors(path):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            what = "a folder is there" if target.is_dir() else "what is there is not a file"
            raise UserError(f"{path} cannot be written: {what}. Choose another path.")
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep_stale(target.parent)
        partial = partial_beside(target)
        try:
            yield partial
            _share([partial], _usual_mode(partial.parent))
            _flush(partial)
            os.replace(partial, target)
            _flush_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder to fill; on a clean exit it becomes ``path``.

    An older ``path`` is replaced in two renames; after a kill between the two, :func:`sweep_partials` brings the
    older one back.
    """
    with explain_disk_errors(path):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_dir():
            raise UserError(f"{path} cannot be written: a file is there. Choose another path, or remove the file.")
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep_stale(target.parent)
        partial = partial_beside(target)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            _flush_tree(partial)
            _replace_folder(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Removes a folder so that no half of it is ever seen under its name.

    Raises:
        OSError: something in it cannot be removed; what is left of it is a ``.partial-`` for the next sweep, or, where
            not even its name could be taken, the whole folder.
    """
    partial = partial_beside(path)
    os.rename(path, partial)
    shutil.rmtree(partial)


def require_writable(path: Path) -> None:
    """Tries to write beside ``path`` before the work whose result :func:`atomic_file` will put there. Leaves nothing.

    Raises:
        UserError: it cannot be written there, so that hours of work would be lost at the end.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        what = "a folder is there" if target.is_dir() else "what is there is not a file"
        raise UserError(f"{path} cannot be written: {what}. Choose another path.")
    folder = next(parent for parent in target.parents if parent.exists())  # Those that lack are made with the file.
    probe = partial_beside(folder / target.name)
    try:
        with probe.open("wb") as file:
            file.write(b"tried")  # A full disk takes an empty file.
    except OSError as error:
        reason = REASONS.get(error.errno or 0, f"{error.strerror}. Choose a folder that can be written.")
        raise UserError(f"{path} cannot be written: {reason}") from None
    finally:
        with suppress(OSError):
            probe.unlink()


def require_temporary_folder() -> None:
    """Refuses to begin where no folder for temporary files is found.

    Raises:
        UserError: none of the usual ones can be written.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise UserError(
            "There is no folder for temporary files: /tmp and the like cannot be written. "
            "Set TMPDIR to a folder that can."
        ) from None


def write_text(path: Path, text: str) -> None:
    """Writes a whole text file atomically."""
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a whole file atomically."""
    with atomic_file(path) as partial:
        partial.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON atomically. ``nan`` and infinities are refused: other tools cannot read them."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads JSON; a cut or altered file is a :class:`UserError` that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # Beside cut JSON: a number of thousands of digits, endless brackets.
        raise UserError(
            f"{path} is not whole JSON ({error}). It was cut short or edited; restore or remove it."
        ) from None


def _replace_folder(partial: Path, target: Path) -> None:
    if target.exists():
        old = old_beside(target)
        os.rename(target, old)
        os.rename(partial, target)
        shutil.rmtree(old, ignore_errors=True)  # What cannot go now is swept later.
    else:
        os.rename(partial, target)
    _flush_folder(target.parent)


def _flush_tree(folder: Path) -> None:
    """Flushes a folder with all that is in it, and gives its files the usual mode."""
    inside = list(folder.rglob("*"))
    files = [path for path in inside if path.is_file()]
    _share(files, _usual_mode(folder))
    for file in files:
        _flush(file)
    for below in (*(path for path in inside if path.is_dir()), folder):
        _flush_folder(below)


def _flush(path: Path) -> None:
    """Asks the disk to keep what was written before the rename that makes it visible."""
    handle = os.open(path, os.O_RDWR | BINARY)  # Windows flushes only what may be written.
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_folder(path: Path) -> None:
    """Asks the disk to keep the names in a folder, where it can do so for folders."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in CANNOT_FLUSH:
            raise


def _usual_mode(folder: Path) -> int:
    """The mode that this folder and the user's umask give to a new file."""
    probe = partial_beside(folder / ".mode")
    try:
        probe.touch()
        return probe.stat().st_mode & 0o777
    finally:
        probe.unlink(missing_ok=True)


def _share(files: Iterable[Path], mode: int) -> None:
    """Lets colleagues read what a library wrote for its user alone (safetensors does)."""
    for file in files:
        if file.stat().st_mode & 0o777 != mode:
            with suppress(OSError):  # Disks without modes.
                file.chmod(mode)
