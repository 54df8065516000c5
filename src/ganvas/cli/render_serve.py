"""The studio as the command line shows it: it opens, and stays until Ctrl-C."""

from ganvas.cli.render import show
from ganvas.tasks.serve import Served


@show.register
def _(result: Served) -> None:
    from ganvas.app.server import serve_studio

    serve_studio(result.runs, host=result.host, port=result.port, write=result.write, browser=result.browser)
