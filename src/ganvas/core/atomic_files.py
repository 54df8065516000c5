"""Files and folders that are either wholly there or not there at all.

What is written goes to a neighbour with a name that starts with ``.partial-``, is flushed to the disk, and takes its
final name in one rename. A process killed at any moment leaves the old state, or the new one, and perhaps a
``.partial-`` that the next run sweeps away.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError

PARTIAL = ".partial-"
OLD = f"{PARTIAL}old-"  # A folder that is being replaced; the number behind it is the process.


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
        partial = target.parent / f"{PARTIAL}{os.getpid()}-{target.name}"
        try:
            yield partial
            _flush(partial)
            os.replace(partial, target)
            _flush(target.parent)
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
        partial = target.parent / f"{PARTIAL}{os.getpid()}-{target.name}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            for file in partial.rglob("*"):
                _flush(file)
            _flush(partial)
            _replace_folder(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


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
    probe = folder / f"{PARTIAL}{os.getpid()}-{target.name}"
    try:
        with probe.open("wb") as file:
            file.write(b"tried")  # A full disk takes an empty file.
    except OSError as error:
        reason = REASONS.get(error.errno or 0, f"{error.strerror}. Choose a folder that can be written.")
        raise UserError(f"{path} cannot be written: {reason}") from None
    finally:
        with suppress(OSError):
            probe.unlink()


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


def append_line(path: Path, entry: dict[str, Any]) -> None:
    """Adds one JSON line, under a lock, so that two processes at once and a kill leave whole lines only.

    After a line that another program left torn it starts a new one.
    """
    line = json.dumps(entry, allow_nan=False) + "\n"
    with explain_disk_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _lock(handle)  # Let go when the file is closed.
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            left = (("\n" if torn else "") + line).encode()
            while left:  # A disk that fills up takes a part without a word; only the next write says why.
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def only_one(path: Path, taken: str) -> Iterator[None]:
    """While inside, no other process gets in with the same path; one that tries gets a UserError that says ``taken``.

    The lock is the system's and goes with the process, however it dies; the empty file stays.
    """
    with explain_disk_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _lock(handle, wait=False):
            raise UserError(taken)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, *, wait: bool = True) -> bool:
    """Whether the file is this process's alone now; where the system has no such locks, goes on without."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sweep_partials(folder: Path) -> None:
    """Removes what killed processes left behind in ``folder``; a folder that was about to be replaced comes back."""
    for leftover in sorted(folder.glob(f"{PARTIAL}*")):
        old = re.fullmatch(rf"{re.escape(OLD)}\d+-(.+)", leftover.name)
        if old and not (folder / old[1]).exists():
            os.rename(leftover, folder / old[1])
        elif leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


REASONS = {
    errno.ENOSPC: "the disk is full. Free some space, or choose a folder on another disk.",
    errno.EDQUOT: "the disk quota is used up. Free some space, or choose a folder on another disk.",
    errno.EFBIG: "the file would be larger than this disk, or `ulimit -f`, allows. Choose a folder on another disk.",
    errno.EROFS: "the disk is read-only. Choose a folder that can be written.",
    errno.EACCES: "there is no permission to write there. Choose a folder that can be written.",
    errno.EPERM: "there is no permission to write there. Choose a folder that can be written.",
    errno.ENOTDIR: "a part of the path is a file, not a folder. Choose another path.",
    errno.EISDIR: "a folder is there. Choose another path, or remove the folder.",
    errno.EEXIST: "a file is there. Choose another path, or remove the file.",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one.",
    errno.EIO: "the disk reports an error. Choose a folder on another disk, and look after this one.",
}


@contextmanager
def explain_disk_errors(path: Path) -> Iterator[None]:
    """Turns a full or read-only disk, or a path that cannot be written, into a :class:`UserError`.

    An error about a file elsewhere (a picture that could not be read while ``path`` was written) goes through as it is.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        number = _errno(error)
        if number not in REASONS or not _concerns(error, path):
            raise
        raise UserError(f"{path} cannot be written: {REASONS[number]}") from error


def _errno(error: Exception) -> int | None:
    """The system's number of an error; safetensors only writes it into its message: ``(os error 28)``."""
    if isinstance(error, OSError):
        return error.errno
    written = re.search(r"\(os error (\d+)\)", str(error))
    return int(written[1]) if written else None


def _concerns(error: Exception, path: Path) -> bool:
    """Whether the file that the error names, if any, is ``path``, lies in it or its ``.partial-``, or leads to it."""
    named = getattr(error, "filename", None)
    if not isinstance(named, (str, os.PathLike)):
        return True
    culprit, target = Path(os.path.realpath(named)), Path(os.path.realpath(path))
    if target.is_relative_to(culprit):
        return True
    if not culprit.is_relative_to(target.parent):
        return False
    top = culprit.relative_to(target.parent).parts[0]
    return top == target.name or top.startswith(PARTIAL)


def _replace_folder(partial: Path, target: Path) -> None:
    if target.exists():
        old = target.parent / f"{OLD}{os.getpid()}-{target.name}"
        os.rename(target, old)
        os.rename(partial, target)
        shutil.rmtree(old)
    else:
        os.rename(partial, target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    """Asks the disk to keep what was written before the rename that makes it visible."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
