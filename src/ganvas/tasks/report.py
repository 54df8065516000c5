"""``ganvas report``: one page about one run."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from ganvas.core import catalogue
from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import write_text

if TYPE_CHECKING:
    from ganvas.report.web.run_page import RunPage


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write the page of a run: pictures, curves, numbers, cost, configuration, in one HTML file."""

    run: Positional[Path]
    """Folder of the run."""
    out: Path | None = None
    """Where to write the page; report.html in the run's folder when left out."""
    baseline: Path | None = None
    """Of a run on text: a run of text/mle on the same text. The page shows its qualities and coverages at several
    temperatures, and whether the run lies beyond them."""


@dataclass(frozen=True, kw_only=True)
class ReportResult:
    """Where the page is, and its size."""

    path: Path
    bytes: int


def report(task: Report) -> ReportResult:
    """Reads the run and writes its page, whole or not at all; it opens from the disk with no network."""
    from ganvas.report.web import run_page, run_reader

    run = run_reader.read(task.run)
    path = task.out or task.run / "report.html"
    if path.is_dir():
        path = path / "report.html"
    if path.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{path} is not the name of a page. Give a name that ends in .html.")
    known = _with_sources(run)
    if task.baseline is not None:
        from ganvas.tasks.measuring.temperature_place import place_of

        known = dataclasses.replace(known, placed=place_of(task.run, task.baseline))
    text = run_page.html(known)
    write_text(path, text)
    return ReportResult(path=path, bytes=len(text.encode()))


def _with_sources(run: "RunPage") -> "RunPage":
    """Adds what the catalogue knows: the model's paper, and what its preset is."""
    links = {entry.name: entry.link for entry in catalogue.entries("models")}
    presets = catalogue.functions("recipes", run.model)
    note = presets.get((run.preset or "").replace("_", "-"), "")
    return dataclasses.replace(run, paper=links.get(run.model) or None, preset_note=note)
