"""The studio as the command line shows it: it opens, and stays until Ctrl-C; and what is made in it, drawn again."""

from ganvas.cli.rendering.forms import counted, form
from ganvas.core.progress import say
from ganvas.tasks.pictures.paint import PaintedPicture
from ganvas.tasks.serve import Served


@form.register
def _(result: Served) -> None:
    from ganvas.app.server import serve_studio

    serve_studio(result.runs, host=result.host, port=result.port, write=result.write, browser=result.browser)


@form.register
def _(result: PaintedPicture) -> None:
    strokes = counted(result.strokes, "stroke")
    say(f"{result.path}: a picture of {result.model} at {result.kimg:g} kimg with {strokes}.")
