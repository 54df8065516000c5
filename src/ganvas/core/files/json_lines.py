"""Files with one JSON object per line: added to under a lock, and read without losing what cannot be read."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.core.files.disk_errors import explain_disk_errors
from ganvas.core.files.file_locks import lock

BINARY = os.O_BINARY if sys.platform == "win32" else 0


@dataclass(frozen=True)
class Line:
    """One line as it stands in the file."""

    raw: bytes  # With its end; a last one that was torn has none.
    entry: dict[str, Any] | None  # None where it is no object of JSON.

    @property
    def damaged(self) -> bool:
        """Whether something was there that is lost now; a torn last line was never whole, or is being written."""
        return self.entry is None and self.raw.endswith(b"\n") and bool(self.raw.strip())


def append_line(path: Path, entry: dict[str, Any]) -> None:
    """Adds one JSON line, under a lock, so that two processes at once and a kill leave whole lines only.

    After a line that another program left torn it starts a new one.
    """
    line = json.dumps(entry, allow_nan=False) + "\n"
    with explain_disk_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | BINARY, 0o666)
        try:
            lock(handle)  # Let go when the file is closed.
            torn = os.lseek(handle, 0, os.SEEK_END) > 0 and _last_byte(handle) != b"\n"
            left = (("\n" if torn else "") + line).encode()
            while left:  # A disk that fills up takes a part without a word; only the next write says why.
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)


def read_lines(path: Path) -> list[Line]:
    """Every line of a file, none of one that is not there. A byte that is no UTF-8 reads as a replacement character."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return [Line(raw, parsed(raw)) for raw in data.splitlines(keepends=True)]


def parsed(raw: bytes) -> dict[str, Any] | None:
    """The object of JSON that a line is; None where it is none."""
    try:
        entry = json.loads(raw.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _last_byte(handle: int) -> bytes:
    os.lseek(handle, -1, os.SEEK_END)
    return os.read(handle, 1)
