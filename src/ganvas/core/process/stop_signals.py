"""Signals as a request to stop: Ctrl-C, SIGTERM and a terminal that is closed let work end tidily, once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP.


@contextmanager
def asked_by_signals() -> Iterator[Callable[[], bool]]:
    """Yields a function that says whether a signal asked for a stop; a second signal of that kind acts as ever.

    SIGHUP that is ignored stays so: `nohup` promises to outlive the terminal. Outside of the main thread nothing is
    taken: who started the thread handles signals.
    """
    asked: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(number, before[number])

    for number in _taken():
        try:
            before[number] = signal.signal(number, note)
        except ValueError:  # Not the main thread.
            break
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _taken() -> list[signal.Signals]:
    known = [number for number in signal.Signals if number.name in NAMES]
    return [n for n in known if n.name != "SIGHUP" or signal.getsignal(n) is not signal.SIG_IGN]
