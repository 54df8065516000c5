"""Events of one open page: what has changed in a run's folder, told as it happens, over a single stream.

A tab has one stream, since a browser opens six connections to a server at the most. Files are watched by size, inode
and time; none is kept open, and a run that nobody looks at is not watched.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from ganvas.core.run_folder import DESCRIPTION, LOGS, TRAINING, RunFolder

LOOK_SEC = 0.5
BREATH_SEC = 15.0  # A comment keeps the connection, and tells a page that has gone.
MOST_STREAMS = 64

Mark = tuple[tuple[int, int, int], ...]


async def run_events(
    run: RunFolder, *, is_gone: Callable[[], Awaitable[bool]], look_sec: float = LOOK_SEC
) -> AsyncIterator[str]:
    """Server-sent events until the page has gone: "change" when the folder has, "gone" when the run is not there."""
    number, before, quiet = 0, await asyncio.to_thread(mark_of, run.path), 0.0
    yield _event("ready", number)
    while not await is_gone():
        await asyncio.sleep(look_sec)
        now, quiet = await asyncio.to_thread(mark_of, run.path), quiet + look_sec
        if not now[0][0]:
            yield _event("gone", number + 1)
            return
        if now != before:
            number, before, quiet = number + 1, now, 0.0
            yield _event("change", number)
        elif quiet >= BREATH_SEC:
            quiet = 0.0
            yield ": still here\n\n"


def mark_of(path: Path) -> Mark:
    """What differs once something was written into a run: inode, size and time of its files, ``run.json`` first."""
    files = (DESCRIPTION, *LOGS, TRAINING, "samples", "model")
    return tuple(_one(path / file) for file in files)


def _one(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0, 0
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _event(kind: str, number: int) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps({'number': number})}\n\n"
