"""Locks of the system on files, which go with their process, however it dies; a disk without them is no obstacle."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    the folder around it, and begun another there, which others can hold at the same time. The empty file stays.
    """
    with explain_disk_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not lock(handle, wait=False):
            raise UserError(taken)
        yield lambda: _is_at(handle, path)
    finally:
        os.close(handle)


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
