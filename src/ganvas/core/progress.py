"""Progress with time left, on stderr: a live bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar, runtime_checkable

LINE_EVERY_SECONDS = 10.0

T = TypeVar("T")


@runtime_checkable
class Report(Protocol):
    """Tell the bar how far the work is, what to show beside it, and the seconds left where they are known better."""

    def __call__(self, done: float, note: str = "", left: float | None = None) -> None: ...


@contextmanager
def progress(title: str, total: float, *, unit: str = "", quiet: bool = False) -> Iterator[Report]:
    """A bar for work of ``total`` units: ``with progress(...) as report: report(done, note)``.

    Args:
        total: Units of the whole work.
        unit: What is counted, shown behind the numbers ("kimg", "pictures").
        quiet: Shows nothing (other ranks, tests).
    """
    if quiet:
        yield lambda done, note="", left=None: None
    elif sys.stderr.isatty():
        with _bar(title, total, unit) as report:
            yield report
    else:
        yield _lines(title, total, unit)


def tracked(
    items: Iterable[T], title: str, *, total: int | None = None, unit: str = "", quiet: bool = False
) -> Iterator[T]:
    """Iterates over ``items`` with a bar."""
    count = total if total is not None else len(items)  # type: ignore[arg-type]
    with progress(title, count, unit=unit, quiet=quiet) as report:
        for done, item in enumerate(items):
            yield item
            report(done + 1)


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


@contextmanager
def _bar(title: str, total: float, unit: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    form = ",.1f" if unit == "kimg" else ",.0f"
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn(f"{{task.completed:{form}}}/{{task.total:,.0f}} {unit}", markup=False),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False, refresh_per_second=4) as bar:
        task = bar.add_task(title, total=total, note="", left="")

        def report(done: float, note: str = "", left: float | None = None) -> None:
            if left is None:
                left = bar.tasks[0].time_remaining
            bar.update(task, completed=done, note=note, left="" if left is None else f"{duration(left)} left")

        yield report


def _lines(title: str, total: float, unit: str) -> Report:
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
        shown = f"{done:,.1f}" if unit == "kimg" else f"{done:,.0f}"
        say(f"{title}: {shown}/{total:,.0f} {unit}{', ' + note if note else ''}{remaining}")

    return report


def say(message: str) -> None:
    """A message for the person, on stderr; stdout is for data."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


Say = Callable[[str], None]
