"""Tables of networks as a person reads them, on stderr."""

from ganvas.cli.rendering.forms import form
from ganvas.core.progress import say
from ganvas.tasks.networks.table import TableResult


@form.register
def _(result: TableResult) -> None:
    if result.text:
        say(result.text.rstrip())
    if result.written:
        say(f"{result.written}: {len(result.rows)} rows, {result.parameters:,} parameters.")
