"""Names of files that are being written, and the sweeping of those that killed processes left."""

import os
import re
import shutil
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

PARTIAL = ".partial-"
OLD = f"{PARTIAL}old-"  # A folder that is being replaced; the number behind it is the process.
STALE_SECONDS = 24 * 3600.0  # Nobody has written to it for a day: whoever began it is dead.


def partial_beside(target: Path) -> Path:
    """The name under which this process writes what will become ``target``."""
    return target.parent / f"{PARTIAL}{os.getpid()}-{target.name}"


def old_beside(target: Path) -> Path:
    """The name that this process gives to a folder which it replaces."""
    return target.parent / f"{OLD}{os.getpid()}-{target.name}"


def sweep_partials(folder: Path, *, untouched_seconds: float | None = None) -> None:
    """Removes what killed processes left behind in ``folder``; a folder that was about to be replaced comes back.

    What cannot be removed stays for the next time.

    Args:
        untouched_seconds: Leaves what was written to more lately than so; for folders in which others may be at work.
    """
    for leftover in sorted(folder.glob(f"{PARTIAL}*")):
        with suppress(OSError):
            if untouched_seconds is None or time.time() - _touched(leftover) > untouched_seconds:
                _sweep(leftover, folder)


@lru_cache(maxsize=64)
def sweep_stale(folder: Path) -> None:
    """Sweeps the folder that a result is written to of what has lain there for a day; once in the life of a process."""
    sweep_partials(folder, untouched_seconds=STALE_SECONDS)


def _touched(leftover: Path) -> float:
    """When it, or anything inside it, was last written to: a large file grows without a change of its folder."""
    return max(path.lstat().st_mtime for path in (leftover, *leftover.rglob("*")))


def _sweep(leftover: Path, folder: Path) -> None:
    old = re.fullmatch(rf"{re.escape(OLD)}\d+-(.+)", leftover.name)
    if old and not (folder / old[1]).exists():
        os.rename(leftover, folder / old[1])
    elif leftover.is_dir() and not leftover.is_symlink():
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        leftover.unlink(missing_ok=True)
