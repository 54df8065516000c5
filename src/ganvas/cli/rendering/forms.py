"""The forms that results have on a terminal: one for each kind of result, and the table that most of them use."""

import os
from collections.abc import Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from ganvas.core.progress import printable

if TYPE_CHECKING:
    from rich.console import Console

ANY_WIDTH = 100_000  # Letters of a line that goes into a file or a pipe, where nothing is cut and nothing broken.


@singledispatch
def form(result: Any) -> None:
    """Says a result; nothing, unless its kind has registered a form of its own (``render_*.py``)."""


def counted(count: int, one: str) -> str:
    """A number of things.

    >>> counted(1, "picture"), counted(12_000, "picture")
    ('1 picture', '12,000 pictures')
    """
    return f"{count:,} {one}{'s' if count != 1 else ''}"


def line_width() -> int:
    """Letters of a line on stderr: those of the terminal or of ``COLUMNS``, and any number where there is neither."""
    return _console().width


def _console() -> "Console":
    from rich.console import Console

    on_screen = Console(stderr=True)
    bounded = on_screen.is_terminal or "COLUMNS" in os.environ
    return on_screen if bounded else Console(stderr=True, width=ANY_WIDTH)


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, firm: bool = False) -> None:
    """A table on stderr, as wide as the terminal allows; in a pipe or a file every row is one whole line.

    Args:
        firm: Only the first column breaks into lines; for tables whose others fit.
    """
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
    _console().print(drawn)
