"""Questions of the screens Walk and Paint: a place between seeds and strokes in, a picture or a painting out."""

import math
import shlex
from typing import TYPE_CHECKING, Any

from ganvas.app.questions import Given, Picture, Question, listed, real, text, whole
from ganvas.app.studio import Studio
from ganvas.app.worker import LoadedModels
from ganvas.core.errors import UserError
from ganvas.report.pictures.grid import grid

if TYPE_CHECKING:
    from ganvas.app.easel import Easel
    from ganvas.dissect.painting import Painting, UnitStroke

MOST_STROKES, MOST_CELLS = 200, 256
FARTHEST = 1e6


def show_easel(studio: Studio, given: Given) -> dict[str, Any]:
    """What can be walked along and painted with."""
    run, kimg = studio.shelf.run(text(given, "run")), _kimg(given)
    found = studio.worker.ask(f"{text(given, 'tab')} easel", lambda models: models.easel(run, kimg).described())
    return {**found, "command": f"ganvas dissect {shlex.quote(str(run.path))}"}


def draw(studio: Studio, given: Given) -> Picture:
    """The picture of a place with strokes."""

    def work(models: LoadedModels) -> Picture:
        from ganvas.dissect.painting import painted

        easel = models.easel(run, kimg)
        return Picture.of(grid(painted(easel.painter, _painting(easel, given))[None]))

    run, kimg = studio.shelf.run(text(given, "run")), _kimg(given)
    return studio.worker.ask(f"{text(given, 'tab')} {text(given, 'view', '')}", work)


def show_neighbours(studio: Studio, given: Given) -> dict[str, Any]:
    """The training pictures that are nearest to the picture of a place, beside the nearest of as many held-out ones."""
    run, kimg = studio.shelf.run(text(given, "run")), _kimg(given)

    def work(models: LoadedModels) -> dict[str, Any]:
        from ganvas.app.views.neighbours import neighbours_view
        from ganvas.dissect.painting import painted

        easel = models.easel(run, kimg)
        drawn = painted(easel.painter, _painting(easel, given))
        command = f"ganvas memorisation {shlex.quote(str(run.path))}"
        return {"html": neighbours_view(drawn, models.neighbourhood(run), command)}

    return studio.worker.ask(f"{text(given, 'tab')} neighbours", work)


def keep_painting(studio: Studio, given: Given) -> dict[str, Any]:
    """The same as a file for ``ganvas paint``, and the command that draws it again."""
    run, kimg = studio.shelf.run(text(given, "run")), _kimg(given)
    painting = studio.worker.ask(
        f"{text(given, 'tab')} painting", lambda models: _painting(models.easel(run, kimg), given)
    )
    return {"painting": painting, "command": f"ganvas paint {shlex.quote(str(run.path))} painting.json -o picture.png"}


def _painting(easel: "Easel", given: Given) -> "Painting":
    from ganvas.app.easel import DIRECTIONS, LatticePoint

    x, y = real(given, "x", 0.0), real(given, "y", 0.0)
    steps = [real({"step": step}, "step") for step in listed(given, "steps", most=DIRECTIONS)]
    if max(map(abs, (x, y, *steps))) > FARTHEST:
        raise UserError(f"'x', 'y' and 'steps' are at most {FARTHEST:g}.")
    strokes = [_stroke(easel, one) for one in listed(given, "strokes", most=MOST_STROKES)]
    truncation = None if given.get("truncation") is None else real(given, "truncation")
    label = whole(given, "label", 0, most=100_000) if given.get("label") is not None else None
    return easel.painting(LatticePoint(x=x, y=y, steps=steps), label=label, truncation=truncation, strokes=strokes)


def _stroke(easel: "Easel", given: Any) -> "UnitStroke":
    if not isinstance(given, dict):
        raise UserError("A stroke is an object of JSON.")
    units = [whole({"unit": unit}, "unit") for unit in listed(given, "units", most=4096)]
    cells = [_cell(cell) for cell in listed(given, "cells", most=MOST_CELLS)]
    strength = real(given, "strength", 1.0)
    return easel.stroke(text(given, "layer"), units, cells, strength=strength, erases=given.get("erases") is True)


def _cell(cell: Any) -> list[int]:
    if not isinstance(cell, list) or len(cell) != 2:
        raise UserError("A cell is a row and a column.")
    return [whole({"cell": at}, "cell") for at in cell]


def _kimg(given: Given) -> float | None:
    """Of the model; None is the newest."""
    return None if given.get("kimg") in (None, "") else real(given, "kimg", math.nan)


DRAWING_QUESTIONS = (
    Question(path="easel", answer=show_easel),
    Question(path="draw", answer=draw, method="POST"),
    Question(path="neighbours", answer=show_neighbours, method="POST"),
    Question(path="painting", answer=keep_painting, method="POST"),
)
