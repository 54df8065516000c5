"""A picture of the ReLU collapse: what comes back from each number of dimensions, and the errors of both decoders."""

from collections.abc import Sequence

import numpy as np

from ganvas.anatomy.signal.relu_collapse import Collapse, Points
from ganvas.report.drawing.drawing import Drawing, Item, Text, polyline
from ganvas.report.drawing.palette import OKABE_ITO, RULE, SOFT
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.report.drawing.primitives import Paint

WIDTH, MARGIN, ROOM = 480.0, 10.0, 64.0  # Points; the room is for the names of the rows.
BELOW = 150.0


def collapse_picture(found: Sequence[Collapse]) -> Drawing:
    """Spirals in two rows, one per decoder, the input first; below them the errors and the active directions."""
    across = (WIDTH - 2 * MARGIN - ROOM) / (len(found) + 1)
    side = min(across - 6, 84.0)
    items: list[Item] = [
        Text(x=MARGIN, y=14, text="A spiral through a ReLU in n dimensions and back", size=9, weight="bold"),
        Text(x=MARGIN, y=25, text="one draw each, of median error; grey: the input, to the same scale", size=7),
    ]
    top, step = 46.0, side + 16
    for row, name in enumerate(("pseudo-inverse", "best linear")):
        items.append(Text(x=MARGIN, y=top + row * step + side / 2, text=name, size=7))
    for column in range(len(found) + 1):
        x = MARGIN + ROOM + column * across
        title = "input" if column == 0 else f"n = {found[column - 1].dimensions}"
        items.append(Text(x=x + side / 2, y=top - 6, text=title, size=7, anchor="middle"))
        for row in range(2):
            items += _spiral(found, column, row, (x, top + row * step, side))
    below = top + 2 * step + 2
    half = (WIDTH - 2 * MARGIN - 14) / 2
    items += _errors(found, (MARGIN, below, half, BELOW))
    items += _active(found, (MARGIN + half + 14, below, half, BELOW))
    return Drawing(width=WIDTH, height=below + BELOW + 6, items=tuple(items))


def _spiral(found: Sequence[Collapse], column: int, row: int, place: tuple[float, float, float]) -> list[Item]:
    x, y, side = place
    given = found[0].points
    reach = float(given.abs().max()) * 1.05
    items: list[Item] = []
    if column == 0:
        return [_line(given, place, reach, OKABE_ITO[7], 0.9)]
    one = found[column - 1]
    items.append(_line(given, place, reach, RULE, 0.6))
    items.append(_line(one.example[row].clamp(-reach, reach), place, reach, OKABE_ITO[row], 1.0))
    spread = (one.pseudo_inverse, one.best_linear)[row]
    items.append(
        Text(x=x + side / 2, y=y + side + 7, text=f"{spread.median:.2g}", size=6.5, anchor="middle", fill=SOFT)
    )
    return items


def _line(points: Points, place: tuple[float, float, float], reach: float, colour: str, width: float) -> Item:
    x, y, side = place
    at = ((points / reach + 1) / 2 * side).tolist()
    return polyline([(x + a, y + side - b) for a, b in at], Paint(stroke=colour, stroke_width=width))


def _errors(found: Sequence[Collapse], place: tuple[float, float, float, float]) -> tuple[Item, ...]:
    x = np.arange(len(found)) + 1.0
    curves = []
    for name, attribute, colour in (
        ("pseudo-inverse", "pseudo_inverse", OKABE_ITO[0]),
        ("best linear", "best_linear", OKABE_ITO[1]),
    ):
        spreads = [getattr(one, attribute) for one in found]
        curves.append(Curve(name=name, x=x, y=[s.median for s in spreads], marks=True, colour=colour, dash=()))
        curves += [
            Curve(x=np.full(2, at), y=[s.lower, s.upper], colour=colour, dash=(), stroke_width=0.6)
            for at, s in zip(x, spreads, strict=True)
        ]
    half = Curve(name="1/2", x=[0.5, len(found) + 0.5], y=[0.5, 0.5], colour=SOFT, dash=(1.2, 1.2))
    title = "relative error, median and quartiles over draws"
    return chart([*curves, half], place, axes=_axes(found, title, (0.0, 1.2)))


def _active(found: Sequence[Collapse], place: tuple[float, float, float, float]) -> tuple[Item, ...]:
    x = np.arange(len(found)) + 1.0
    curves = [
        Curve(name="measured", x=x, y=[one.distinguishable for one in found], marks=True, colour=OKABE_ITO[2], dash=()),
        Curve(
            name="1 - (n + 1) / 2^n",
            x=x,
            y=[one.distinguishable_theory for one in found],
            colour=OKABE_ITO[7],
            dash=(4.0, 1.5),
        ),
    ]
    return chart(curves, place, axes=_axes(found, "share of points with two active directions or more", (0.0, 1.05)))


def _axes(found: Sequence[Collapse], title: str, reach: tuple[float, float]) -> Axes:
    ticks = [(at + 1.0, str(one.dimensions)) for at, one in enumerate(found)]
    return Axes(title=title, x_title="n", y_range=reach, x_range=(0.5, len(found) + 0.5), x_ticks=ticks)
