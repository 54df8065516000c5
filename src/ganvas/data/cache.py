"""The user's cache folder: packs, fetched sets, and hashes of large files.

``$GANVAS_CACHE``, else ``$XDG_CACHE_HOME/ganvas``, else ``~/.cache/ganvas``. All of it may be removed at any time.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import write_text
from ganvas.core.files.file_locks import lock
from ganvas.core.progress import say

REMEMBER_FROM_BYTES = 64 << 20  # A smaller file is hashed in the time that it takes to ask.


def cache_folder() -> Path:
    """Where Ganvas keeps what it can make again.

    Raises:
        UserError: none was chosen, and there is no home folder to keep it in.
    """
    try:
        if chosen := os.environ.get("GANVAS_CACHE"):
            return Path(chosen).expanduser()
        if xdg := os.environ.get("XDG_CACHE_HOME"):
            return Path(xdg) / "ganvas"
        return Path.home() / ".cache" / "ganvas"
    except RuntimeError:
        raise UserError(
            "There is no home folder to keep packed pictures in. Set GANVAS_CACHE to a folder that can be written."
        ) from None


@contextmanager
def explain_cache_errors(path: Path) -> Iterator[None]:
    """Turns an error of the disk at ``path`` in the cache into one that says how to choose another cache."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"The cache cannot be written at {path}: {error.strerror or error}. "
            "Set GANVAS_CACHE to a folder that can be written and has room."
        ) from None


def hash_file(path: Path, *, algorithm: str = "sha256") -> str:
    """The hexadecimal hash of a file's bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, algorithm).hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None


def content_hash(path: Path, *, cache: Path | None = None) -> str:
    """SHA-256 of a file, remembered for large files for as long as inode, size and both times stay the same."""
    stat = path.stat()
    if stat.st_size < REMEMBER_FROM_BYTES:
        return hash_file(path)
    known = repr((str(path.resolve()), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    memory = (cache or cache_folder()) / "hashes" / hashlib.sha256(known.encode()).hexdigest()
    try:
        remembered = memory.read_text(encoding="ascii").strip()
        if len(remembered) == 64:
            return remembered
    except (OSError, UnicodeDecodeError):
        pass
    found = hash_file(path)
    with suppress(UserError):  # A cache that cannot be written costs time, not the answer.
        write_text(memory, found + "\n")
    return found


@contextmanager
def locked(path: Path, *, quiet: bool = False) -> Iterator[None]:
    """Holds ``path`` as a lock file: one process at a time. The system frees it when a process dies, however it dies.

    Where the system has no such locks nothing is held; two processes then do the same work twice, and the atomic
    rename at its end keeps that harmless.
    """
    with explain_cache_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    with file:
        if not lock(file.fileno(), wait=False):
            if not quiet:
                say("Another process is packing the same pictures; waiting for it.")
            lock(file.fileno())
        yield
