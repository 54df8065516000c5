"""A network as a figure for a paper."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from ganvas.tasks.networks.network_options import Network, graph_of

TALL_INCHES = 20.0  # Beyond any page; pixels of such a figure take minutes.


@dataclass(frozen=True, kw_only=True)
class Diagram(Network):
    """Draw a network: layers to scale, coloured by kind, with skip connections, and repeats drawn once.

    Examples:
      ganvas diagram gan/progan --set resolution=1024 -o generator.pdf
      ganvas diagram resnet50 -o resnet.svg
      ganvas diagram nets.py:UNet --input 1,3,256,256 --width 6.9 -o unet.png
    """

    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """File to write: .svg, .pdf or .png."""
    width: float = 3.3
    """Of the figure in inches: 3.3 is a column of a two-column page, 6.9 the whole page. Text is 6 points at any."""
    shape: Literal["auto", "rows", "u"] = "auto"
    """Rows that wrap, or a U for an encoder and decoder with skips across; auto takes the U where it fits."""
    unfold: bool = False
    """Draw every repeat, instead of once with its number."""
    dpi: float = 300.0
    """Pixels per inch of a .png."""


@dataclass(frozen=True, kw_only=True)
class DiagramResult:
    """What was drawn."""

    model: str
    path: Path
    width_inches: float
    height_inches: float
    layers: int  # Of the network that the boxes stand for.
    boxes: int
    skips: int
    kinds: list[str]


def diagram(task: Diagram) -> DiagramResult:
    """Traces the network and draws it."""
    from ganvas.core.errors import UserError
    from ganvas.core.progress import say
    from ganvas.report.drawing.drawing import check_suffix, write

    check_suffix(task.out)
    if not task.out.absolute().parent.is_dir():
        raise UserError(
            f"There is no folder {task.out.absolute().parent} to write {task.out.name} into. Make it first."
        )
    if not 20 <= task.dpi <= 2400:
        raise UserError(f"--dpi {task.dpi:g} makes no picture to print. Give 20 to 2400; 300 is usual.")
    from ganvas.anatomy.diagram import diagram as diagrams

    graph = graph_of(task)
    made = diagrams.layout(graph, width_inches=task.width, shape=task.shape, fold=not task.unfold)
    drawing = diagrams.drawn(made, title=graph.model)
    if task.out.suffix == ".png" and drawing.height > TALL_INCHES * 72:
        say(
            f"The figure is {drawing.height / 72:.0f} inches tall: no page holds it, and {task.out.name} takes long. "
            ".svg and .pdf are made at once."
        )
    write(drawing, task.out, dpi=task.dpi)
    return DiagramResult(
        model=graph.model,
        path=task.out,
        width_inches=round(drawing.width / 72, 3),
        height_inches=round(drawing.height / 72, 3),
        layers=made.layers,
        boxes=len(made.boxes),
        skips=len({(rail.skip.source, rail.skip.target, rail.skip.branch) for rail in made.rails}),
        kinds=made.kinds,
    )
