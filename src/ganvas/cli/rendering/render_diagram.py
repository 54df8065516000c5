"""Drawn networks as a person reads of them, on stderr."""

from ganvas.cli.rendering.forms import form
from ganvas.core.progress import say
from ganvas.tasks.networks.diagram import DiagramResult


@form.register
def _(result: DiagramResult) -> None:
    size = f"{result.width_inches:.1f} × {result.height_inches:.1f} inches"
    boxes = f"{result.boxes} boxes for {result.layers} layers, {result.skips} skips"
    say(f"{result.path}: {result.model}, {size}, {boxes}.")
