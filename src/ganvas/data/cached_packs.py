"""Packs in the user's cache: made once by one process, found again by everyone, made again when damaged."""

import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_folder, write_text
from ganvas.core.files.partials import PARTIAL
from ganvas.core.progress import say
from ganvas.data.cache import REMEMBER_FROM_BYTES, cache_folder, locked
from ganvas.data.sources.picture_source import hash_of

P = TypeVar("P")


@runtime_checkable
class Verifiable(Protocol):
    """What can compare its bytes with its fingerprint."""

    def verify(self) -> None: ...


def cached_pack(
    key: str,
    *,
    open_pack: Callable[[Path], P],
    write: Callable[[Path], None],
    cache: Path | None = None,
    quiet: bool = False,
) -> P:
    """The pack of that key. Two processes that want the same make it once: the second waits.

    Args:
        key: Of everything that the pack depends on: the content of the source and the settings.
        open_pack: Opens and checks a folder; raises UserError when it is damaged.
        write: Fills an empty folder, which becomes the pack when it is whole.
        cache: The folder above all packs; None is the user's cache folder.
        quiet: Nothing is said of waiting and of damage.
    """
    packs = (cache or cache_folder()) / "packs"
    folder = packs / key
    with locked(packs / f"{key}.lock", quiet=quiet):
        if folder.exists():
            try:
                return open_pack(folder)
            except UserError as damage:
                if not quiet:
                    say(f"{damage} (It is in the cache: packing again now.)")
                shutil.rmtree(folder, ignore_errors=True)
        for leftover in packs.glob(f"{PARTIAL}*-{key}"):
            shutil.rmtree(leftover, ignore_errors=True)
        with atomic_folder(folder) as partial:
            write(partial)
    return open_pack(folder)


def require_empty(out: Path) -> None:
    """That nothing would be overwritten by a pack.

    Raises:
        UserError: there is a file, or a folder that is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is there already. Choose another folder with -o, or remove it first.")


def verify_once(pack: Verifiable, files: Iterable[Path], *, cache: Path | None = None) -> None:
    """Compares a pack with its fingerprint; a large one only when a file's inode, size or times have changed since.

    So whatever a program or a person did to a file is noticed; a bit that decays on the disk of a large pack is not.

    Raises:
        UserError: a byte changed since packing.
    """
    stats = [(str(path.resolve()), path.stat()) for path in files]
    if sum(stat.st_size for _, stat in stats) < REMEMBER_FROM_BYTES:
        pack.verify()
        return
    known = [(path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for path, stat in stats]
    memory = (cache or cache_folder()) / "hashes" / hash_of("verified", known)
    if memory.exists():
        return
    pack.verify()
    with suppress(UserError):  # A cache that cannot be written costs time, not the answer.
        write_text(memory, "verified\n")
