"""Sheets of samples that are no pictures, as pieces of a page: a kind of file, and how it is shown.

A kind of sample whose sheets are pictures needs nothing here. One that also writes something else beside them, or
instead, adds the ending of that file and a function of its path.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ganvas.core.run_folder import RunFolder
from ganvas.report.web import page
from ganvas.report.web.page import Html, element

MOST_LINES = 64
MOST_BYTES = 4 * 2**20  # Of a file that a page is given.


def lines_of(path: Path) -> Html:
    """The lines that a model of text said."""
    said = path.read_bytes()[:MOST_BYTES].decode("utf-8", "replace").splitlines()
    return element("pre", "\n".join(said[:MOST_LINES]), class_="lines", tabindex="0", role="group", aria_label="Lines")


def sounds_of(path: Path) -> Html:
    """The sounds of a sheet, one after the other, with a player."""
    if path.stat().st_size > MOST_BYTES:
        return page.note(f"{path.name} is too large to be heard here; it lies in the run's folder.")
    return page.player(path.read_bytes(), label="Sounds of this sheet")


SHEET_VIEWS: Final[Mapping[str, Callable[[Path], Html]]] = {".txt": lines_of, ".wav": sounds_of}


def endings_of(run: RunFolder) -> list[str]:
    """Of the sheets that a run has beside pictures."""
    return [ending for ending in SHEET_VIEWS if run.drawn(ending)]


def moments_of(run: RunFolder) -> list[float]:
    """Every moment at which a run has drawn anything that is shown, in their order."""
    others = (kimg for ending in SHEET_VIEWS for kimg, _ in run.drawn(ending))
    return sorted({kimg for kimg, _ in run.sheets()}.union(others))
