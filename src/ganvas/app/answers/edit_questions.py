"""Questions of the screen Edit: what a model heeds, and a picture filled in as ``ganvas edit`` fills it.

The picture and the strokes that a page sends are written into a folder that lasts as long as the question, and the
task of the command line does the rest: so the command gives the same bits.
"""

import base64
import binascii
import json
import re
import shlex
import tempfile
from pathlib import Path
from typing import Any

from ganvas.app.questions import Given, Picture, Question, text, whole
from ganvas.app.studio import Studio
from ganvas.app.worker import LoadedModels
from ganvas.core.errors import UserError
from ganvas.report.pictures.reading import opened

KINDS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
LONGEST_NAME = 100


def show_filler(studio: Studio, given: Given) -> dict[str, Any]:
    """Which strokes a run's model heeds."""
    run = studio.shelf.run(text(given, "run"))

    def work(models: LoadedModels) -> dict[str, Any]:
        from ganvas.losses.capabilities import Fills

        kept = models.trained(run)
        return {"model": kept.name, "kimg": kept.kimg, "guides": list(kept.require(Fills).guides)}

    found = studio.worker.ask(f"{text(given, 'tab')} filler", work)
    command = f"ganvas edit {shlex.quote(str(run.path))} PICTURE --strokes strokes.json -o edited.png"
    return {**found, "command": command}


def fill(studio: Studio, given: Given) -> Picture:
    """The picture, filled in where the strokes say."""
    run = studio.shelf.run(text(given, "run"))
    name, data, seed = _name(text(given, "name")), _bytes(text(given, "picture")), whole(given, "seed", 0)
    strokes = given.get("strokes")
    if not isinstance(strokes, dict):
        raise UserError("'strokes' must be an object of JSON, in the form of `ganvas edit --strokes`.")
    try:
        opened(data).close()
    except OSError as error:
        raise UserError(f"{name} cannot be opened: {error}. Choose another picture.") from None

    def work(models: LoadedModels) -> Picture:
        from ganvas.tasks.pictures.edit import Edit, edit

        with tempfile.TemporaryDirectory(prefix="ganvas-edit-") as folder:
            source, drawn, out = Path(folder) / name, Path(folder) / "strokes.json", Path(folder) / "out"
            source.write_bytes(data)
            drawn.write_text(json.dumps(strokes), encoding="utf-8")
            edit(Edit(run=run.path, source=source, strokes=drawn, out=out, seed=seed))
            made = next(path for path in out.iterdir() if path.suffix.lower() in KINDS)
            return _as_png(made.read_bytes())

    return studio.worker.ask(f"{text(given, 'tab')} edit", work)


def _name(given: str) -> str:
    """A name of one file: noise that a model fills with is drawn by it, so it stays what the person calls it.

    Raises:
        UserError: it is no name of a picture.
    """
    is_plain = re.fullmatch(r"[^/\\\x00-\x1f:*?\"<>|]+", given) and not given.startswith(".")
    if not is_plain or len(given) > LONGEST_NAME or Path(given).suffix.lower() not in KINDS:
        raise UserError(f"{given[:80]!r} is not the name of a picture. Those end in {', '.join(KINDS)}.")
    return given


def _bytes(given: str) -> bytes:
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise UserError("'picture' must be the bytes of a picture in base64.") from None


def _as_png(data: bytes) -> Picture:
    with opened(data) as image:
        return Picture(data) if image.format == "PNG" else Picture.of(image)


EDIT_QUESTIONS = (
    Question(path="filler", answer=show_filler),
    Question(path="fill", answer=fill, method="POST"),
)
