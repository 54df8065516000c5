"""Progress, messages and stops of work, told to whoever listens; the terminal does where nobody else does.

A shell installs its own listener with :func:`listening`. On a terminal there is a live bar with the time left;
elsewhere stderr gets a line now and then.
"""

import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar

from ganvas.core.process.listener import Listener, Report, Stopped
from ganvas.core.process.stop_signals import asked_by_signals

LINE_EVERY_SECONDS = 10.0

T = TypeVar("T")


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """While inside, ``listener`` hears what this thread's work says, and decides whether it stops."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def say(message: str) -> None:
    """A message for the person; a terminal shows it on stderr, since stdout is for data."""
    _listener().message(message)


@contextmanager
def progress(title: str, total: float, *, unit: str = "", quiet: bool = False) -> Iterator[Report]:
    """A bar for work of ``total`` units: ``with progress(...) as report: report(done, note)``.

    Args:
        total: Units of the whole work.
        unit: What is counted, shown behind the numbers ("kimg", "pictures").
        quiet: Shows nothing (other ranks, tests).

    Raises:
        Stopped: at a report, where the listener wants the work to stop and it is not :func:`stoppable`.
    """
    if quiet:
        yield _heeding(lambda done, note="", left=None: None)
        return
    with _listener().bar(title, total, unit) as report:
        yield _heeding(report)


def tracked(
    items: Iterable[T], title: str, *, total: int | None = None, unit: str = "", quiet: bool = False
) -> Iterator[T]:
    """Iterates over ``items`` with a bar."""
    count = total if total is not None else len(items)  # type: ignore[arg-type]
    with progress(title, count, unit=unit, quiet=quiet) as report:
        for done, item in enumerate(items):
            yield item
            report(done + 1)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Surrounds work that keeps what it has done when it is asked to stop: ``with stoppable() as asked: ...``.

    It calls ``asked`` now and then, and ends by itself; no report inside raises :class:`Stopped`.
    """
    token = _TIDY.set(True)
    try:
        with _listener().stoppable() as asked:
            yield asked
    finally:
        _TIDY.reset(token)


def duration(seconds: float) -> str:
    """``4 s``, ``2 min 05 s``, ``3 h 12 min``, ``2 d 04 h``.

    >>> duration(4.2), duration(125), duration(11520), duration(187200)
    ('4 s', '2 min 05 s', '3 h 12 min', '2 d 04 h')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def printable(text: str) -> str:
    r"""The text with what a terminal would obey, or show in another order, written out; lines and tabs stay.

    >>> printable("a\x1b]0;b\x07.png")
    'a\\x1b]0;b\\x07.png'
    """
    return "".join(character if _shows(character) else _escaped(character) for character in text)


def _shows(character: str) -> bool:
    return character in "\n\t" or (unicodedata.category(character) not in ("Cc", "Cs") and character not in REORDERING)


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 0x100 else f"\\u{ord(character):04x}"


REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class Terminal(Listener):
    """stderr, whatever it is: a terminal, a file, a pipe, or closed. Signals ask for a stop."""

    def message(self, text: str) -> None:
        if sys.stderr is None:  # It was closed before the start.
            return
        with suppress(OSError):  # Whoever read it has gone, or its disk is full: the work is worth more.
            sys.stderr.write(printable(text) + "\n")
            sys.stderr.flush()

    def bar(self, title: str, total: float, unit: str) -> AbstractContextManager[Report]:
        live = sys.stderr is not None and sys.stderr.isatty()
        return _bar(printable(title), total, unit) if live else _lines(title, total, unit, self.message)

    def stoppable(self) -> AbstractContextManager[Callable[[], bool]]:
        return asked_by_signals()


_TERMINAL = Terminal()
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)  # None is the terminal.
_TIDY: ContextVar[bool] = ContextVar("tidy", default=False)  # Whether the work around a bar ends by itself.


def _listener() -> Listener:
    return _LISTENER.get() or _TERMINAL


def _heeding(report: Report) -> Report:
    """The same report, which also ends work that the listener wants to stop."""

    def heeding(done: float, note: str = "", left: float | None = None) -> None:
        report(done, note, left)
        if not _TIDY.get() and _listener().stopping():
            raise Stopped

    return heeding


@contextmanager
def _bar(title: str, total: float, unit: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    form, whole = (",.1f", ",.4g") if unit == "kimg" else (",.0f", ",.0f")
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn(f"{{task.completed:{form}}}/{{task.total:{whole}}} {unit}", markup=False),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False, refresh_per_second=4) as bar:
        task = bar.add_task(title, total=total, note="", left="")

        def report(done: float, note: str = "", left: float | None = None) -> None:
            if left is None:
                left = bar.tasks[0].time_remaining
            shown = "" if left is None else f"{duration(left)} left"
            bar.update(task, completed=done, note=printable(note), left=shown)

        yield report


@contextmanager
def _lines(title: str, total: float, unit: str, write: Callable[[str], None]) -> Iterator[Report]:
    """One line when the work begins to take long, then every ten seconds, and one at the end if any was written."""
    started = last = time.monotonic()
    first: list[float] = []
    spoke = False

    def report(done: float, note: str = "", left: float | None = None) -> None:
        nonlocal last, spoke
        now = time.monotonic()
        if not first:
            first.append(done)
        finished = done >= total
        if now - last < LINE_EVERY_SECONDS and not (finished and spoke):
            return
        last, spoke = now, not finished
        pace = (done - first[0]) / max(now - started, 1e-9)
        if left is None and pace > 0:
            left = (total - done) / pace
        remaining = f", {duration(left)} left" if left is not None and not finished else ""
        shown, of = (f"{done:,.1f}", f"{total:,.4g}") if unit == "kimg" else (f"{done:,.0f}", f"{total:,.0f}")
        write(f"{title}: {shown}/{of} {unit}{', ' + note if note else ''}{remaining}")

    yield report
