"""stderr of a command: whatever writes to it, a reader who goes away or a full disk does not end the work."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast


class Unfailing:
    """A stream in front of another; what that cannot take is dropped."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes what can be written, and claims all of it."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the other stream's."""
        return getattr(self._stream, name)


@contextmanager
def unfailing_messages() -> Iterator[None]:
    """While inside, whoever writes to stderr need not care whether anybody reads it."""
    before = sys.stderr
    sys.stderr = cast("TextIO", Unfailing(before if before is not None else io.StringIO()))
    try:
        yield
    finally:
        sys.stderr = before
