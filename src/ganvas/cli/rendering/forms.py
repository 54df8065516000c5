"""The forms that results have on a terminal: one for each kind of result, and the table that most of them use."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from ganvas.core.progress import printable


@singledispatch
def form(result: Any) -> None:
    """Says a result; nothing, unless its kind has registered a form of its own (``render_*.py``)."""


def counted(count: int, one: str) -> str:
    """A number of things.

    >>> counted(1, "picture"), counted(12_000, "picture")
    ('1 picture', '12,000 pictures')
    """
    return f"{count:,} {one}{'s' if count != 1 else ''}"


def terminal_width() -> int:
    """Of the terminal that stderr is, in letters; 80 where it is none."""
    from rich.console import Console

    return Console(stderr=True).width


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, firm: bool = False) -> None:
    """A table on stderr, as wide as the terminal allows.

    Args:
        firm: Only the first column breaks into lines; for tables whose others fit.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        title=Text(title) if title else None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    for place, name in enumerate(header):
        drawn.add_column(name, overflow="fold", no_wrap=name == "name" or (firm and place > 0))
    for row in rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    Console(stderr=True).print(drawn)
