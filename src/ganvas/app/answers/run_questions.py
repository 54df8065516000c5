"""Questions of the screens Runs and Training: what there is, how it goes, and that it should stop or go on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ganvas.app.questions import Given, Picture, Question, real, text
from ganvas.app.run_rows import RunRow
from ganvas.app.run_shelf import Gone
from ganvas.app.run_status import status_now
from ganvas.app.studio import Studio
from ganvas.app.views.sheet_views import SHEET_VIEWS
from ganvas.app.views.training_view import training_view
from ganvas.core.run_folder import RunFolder
from ganvas.report.pictures.reading import opened
from ganvas.report.web import page


def list_runs(studio: Studio, given: Given) -> dict[str, Any]:
    """Every run there is now, in one line each."""
    rows = [_as_it_is(studio.rows.row(name, path), path) for name, path in studio.shelf.look().items()]
    return {"root": studio.shelf.root.name, "write": studio.access.write, "runs": [vars(row) for row in rows]}


def _as_it_is(row: RunRow, path: str) -> RunRow:
    """A row that is kept knows what files say, and not whether the process that wrote them lives."""
    if row.status != "running":
        return row
    return replace(row, status=status_now(RunFolder(Path(path)), row.status))


def show_training(studio: Studio, given: Given) -> dict[str, Any]:
    """Curves, health and numbers of a run."""
    name = text(given, "run")
    shown = training_view(studio.shelf.run(name), log=text(given, "log", "") == "1", smooth=real(given, "smooth", 0.02))
    return {**shown, "name": name, "write": studio.access.write, "told": studio.processes.told(name)}


def show_sheet(studio: Studio, given: Given) -> Picture:
    """The samples that were drawn at one moment of a run, one of those that :func:`show_training` lists."""
    run, kimg = studio.shelf.run(text(given, "run")), real(given, "kimg")
    paths = [path for moment, path in run.sheets() if moment == kimg]
    if not paths or not studio.shelf.holds(paths[0]):
        raise Gone(f"There are no samples of {kimg:g} kimg in this run.")
    data = paths[0].read_bytes()
    with opened(data):  # It is a picture, of a size that memory holds.
        return Picture(data)


def show_other_sheet(studio: Studio, given: Given) -> dict[str, Any]:
    """What was drawn at one moment of a run beside pictures, or instead: lines, sounds."""
    run, kimg = studio.shelf.run(text(given, "run")), real(given, "kimg")
    pieces = [
        view(path)
        for ending, view in SHEET_VIEWS.items()
        for moment, path in run.drawn(ending)
        if moment == kimg and studio.shelf.holds(path)
    ]
    if not pieces:
        raise Gone(f"There is nothing else of {kimg:g} kimg in this run.")
    return {"html": page.join(*pieces)}


def stop_training(studio: Studio, given: Given) -> dict[str, Any]:
    """Asks the process that trains a run to stop, as Ctrl-C does: it saves and ends by itself."""
    run = studio.shelf.run(text(given, "run"))
    return {"told": studio.processes.stop(run)}


def resume_training(studio: Studio, given: Given) -> dict[str, Any]:
    """Starts the command again that a run was made by."""
    name = text(given, "run")
    return {"told": studio.processes.resume(name, studio.shelf.run(name))}


RUN_QUESTIONS = (
    Question(path="runs", answer=list_runs),
    Question(path="training", answer=show_training),
    Question(path="sheet", answer=show_sheet),
    Question(path="other_sheet", answer=show_other_sheet),
    Question(path="stop", answer=stop_training, method="POST", writes=True),
    Question(path="resume", answer=resume_training, method="POST", writes=True),
)
