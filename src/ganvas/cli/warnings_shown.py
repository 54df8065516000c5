"""Messages of others while a command runs: warnings of libraries, and what a person's own code prints.

Neither may stand in the way of what the command says. A warning comes after it, in one line; a ``print`` goes to
stderr, since stdout is for data.
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from ganvas.core.progress import say

SHOWN = 5  # Of many different warnings.


@contextmanager
def asides(*, at_once: bool = False) -> Iterator[None]:
    """Keeps them apart.

    Args:
        at_once: Say a warning when it comes, for work of hours whose end may never come.
    """
    held: dict[str, None] = {}
    before = warnings.showwarning
    warnings.showwarning = _say_at_once(held) if at_once else _hold(held)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        warnings.showwarning = before
        lines = [] if at_once else list(held)
        for line in lines[:SHOWN]:
            say(line)
        if len(lines) > SHOWN:
            say(f"... and {len(lines) - SHOWN} more warnings.")


def _hold(held: dict[str, None]) -> Callable[..., None]:
    def hold(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        held[_line(message, category, filename, lineno)] = None

    return hold


def _say_at_once(said: dict[str, None]) -> Callable[..., None]:
    def at_once(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        line = _line(message, category, filename, lineno)
        if line not in said:
            said[line] = None
            say(line)

    return at_once


def _line(message: Any, category: type[Warning], filename: str, lineno: int) -> str:
    text = " ".join(str(message).split()).rstrip(".")
    return f"Warning: {text} ({category.__name__} of {Path(filename).name}, line {lineno})."
