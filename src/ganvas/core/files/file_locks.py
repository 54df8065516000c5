"""Locks of the system on files, which go with their process, however it dies; a disk without them is no obstacle."""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.core.files.disk_errors import explain_disk_errors
from ganvas.core.progress import say

# Lustre without -o flock, some FUSE and NFS mounts.
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


def lock(handle: int, *, wait: bool = True) -> bool:
    """Whether the open file is this process's alone now; where the system has no such locks, goes on without.

    Closing the file lets go of it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        _tell_that_there_are_none()
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        _tell_that_there_are_none()
    return True


@contextmanager
def only_one(path: Path, taken: str) -> Iterator[Callable[[], bool]]:
    """While inside, no other process gets in with the same path; one that tries gets a UserError that says ``taken``.

    Yields a function that says whether the file that is held is still the one at ``path``: somebody may have removed
    the folder around it, and begun another there, which others can hold at the same time. The file stays; it says who
    held it last.
    """
    with explain_disk_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not lock(handle, wait=False):
            raise UserError(taken)
        with suppress(OSError):  # A full disk: then nobody can ask who it is.
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()} {socket.gethostname()}\n".encode())
        yield lambda: _is_at(handle, path)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class LastHolder:
    """The process that got into :func:`only_one` last; it may have left."""

    process: int
    host: str

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, one of this machine: of others nobody can see here whether they live."""
        return self.host == socket.gethostname()


def last_holder(path: Path) -> LastHolder | None:
    """Who the file says got in last; None where it names nobody."""
    try:
        process, host = path.read_text(encoding="utf-8").split()
        return LastHolder(int(process), host)
    except (OSError, ValueError):
        return None


def holder(path: Path) -> int | None:
    """The process of this machine that is inside of :func:`only_one` with this path; None where none is.

    The lock itself is asked only while the process that the file names lives: asked in the moment that another begins,
    it would be in its way.
    """
    last = last_holder(path)
    if last is None or not last.is_here or not _lives(last.process):
        return None
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if lock(handle, wait=False) else last.process
    finally:
        os.close(handle)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return process > 0


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


@cache
def _tell_that_there_are_none() -> None:
    say(
        "Warning: This disk has no file locks, so two commands that write to one place at once are not kept apart. "
        "Start only one at a time."
    )
