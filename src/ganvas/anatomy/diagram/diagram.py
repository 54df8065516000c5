"""A network as a figure for a paper.

Every layer is a box whose height is the logarithm of its resolution and whose width that of its channels, in the colour
and with the letter of its kind; skip connections run above, what repeats is drawn once with its multiplier, and the
legend names only what is there. The default width is one column of a two-column page, where all text is 6 points.
"""

from typing import Literal

from ganvas.anatomy.diagram.blocks import blocks
from ganvas.anatomy.diagram.columns import fits_u
from ganvas.anatomy.diagram.draw import drawn
from ganvas.anatomy.diagram.layout import laid_out
from ganvas.anatomy.diagram.order import is_u_shaped, ordered
from ganvas.anatomy.diagram.parts import Layout
from ganvas.anatomy.trace.graph import Graph
from ganvas.core.errors import UserError
from ganvas.report.drawing.drawing import Drawing

COLUMN_INCHES = 3.3
Shape = Literal["auto", "rows", "u"]


def diagram(graph: Graph, *, width_inches: float = COLUMN_INCHES, shape: Shape = "auto", fold: bool = True) -> Drawing:
    """The figure of a traced network.

    Args:
        width_inches: Of the page; the height is what the network takes.
        shape: Rows that wrap, or a U for an encoder and decoder with skips across; ``auto`` takes the U where the
            network has that form.
        fold: Draw what repeats once, with how often it runs.

    Raises:
        UserError: the network failed while it was traced, or the page is too narrow.
    """
    return drawn(layout(graph, width_inches=width_inches, shape=shape, fold=fold), title=graph.model)


def _given(graph: Graph) -> str:
    shapes = " and ".join("x".join(map(str, shape)) for shape in graph.input_shapes)
    return f"It was given {shapes}." if shapes else "It was given no input."


def layout(graph: Graph, *, width_inches: float = COLUMN_INCHES, shape: Shape = "auto", fold: bool = True) -> Layout:
    """Where everything of the figure stands."""
    if graph.failed:
        raise UserError(
            f"{graph.model} cannot be drawn: {graph.failed.rstrip('.')}. {_given(graph)} If its forward takes another "
            "shape, give that with the batch: --input 1,3,256,256, and once for each of its inputs."
        )
    if not 2.0 <= width_inches <= 40.0:
        raise UserError(f"A width of {width_inches:g} inches cannot hold a diagram. Give 2 to 40; a column has 3.3.")
    order = ordered(blocks(graph), fold=fold)
    if not any(block.kind not in ("input", "merge", "normalisation") for block in order.row):
        raise UserError(f"{graph.model} has no layer to draw: no convolution, linear layer, pool or resize ran.")
    fits = fits_u(order, width=width_inches * 72)
    if shape == "u" and not fits:
        raise UserError(f"A U of {len(order.row)} boxes does not fit {width_inches:g} inches. Give it more, or rows.")
    u_shaped = shape == "u" or (shape == "auto" and fits and is_u_shaped(order))
    return laid_out(order, width=width_inches * 72, u_shaped=u_shaped)
