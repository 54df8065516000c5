"""Sheets of graphs: each in a square of its own, nodes as dots or as the letters of their element, bonds as lines."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped

from ganvas.report.drawing.palette import BLUE, INK, OKABE_ITO, RULE, SOFT
from ganvas.report.drawing.primitives import Circle, Drawing, Item, Paint, Point, Rect, Text, line
from ganvas.report.pictures.graph_layout import layout

Tables = Sequence[Shaped[np.ndarray, "v v"]]

SIDE, ROOM, GAP, HEAD = 92.0, 13.0, 6.0, 18.0  # Of a graph's square, within it, between squares, above them all.
FOOT = 11.0  # Under a graph that has words.
DOT, LETTER = 3.4, 8.5  # Radius of a node, size of its letters.
MOST_STEP = 20.0  # Points between neighbours.
BESIDE = 1.4  # Points from a bond's middle to each of its lines.
COLOURS = {"N": "#0072b2", "O": "#c0392b", "F": "#00795a", "S": "#8a6d00", "Cl": "#00795a", "Br": "#8c3b1f"}
UNNAMED = ("node",)


def graph_sheet(
    tables: Tables,
    *,
    node_names: Sequence[str] = UNNAMED,
    words: Sequence[str] = (),
    columns: int | None = None,
    title: str = "",
) -> Drawing:
    """Graphs side by side.

    Args:
        tables: Of graphs: :mod:`ganvas.core.sample_sizes.graph_size`.
        node_names: Of the kinds of nodes; elements are written, other kinds are dots of different colours.
        words: What stands under each graph.
        columns: Side by side; None makes a square of about as many rows.
        title: Words above them.
    """
    columns = columns or max(1, math.ceil(math.sqrt(len(tables))))
    rows, height = math.ceil(len(tables) / columns), SIDE + (FOOT if words else 0)
    items: list[Item] = [Text(x=GAP, y=HEAD - 6, text=title, size=9, fill=INK)] if title else []
    top = HEAD if title else GAP
    for number, table in enumerate(tables):
        x, y = GAP + number % columns * (SIDE + GAP), top + number // columns * (height + GAP)
        items.append(Rect(x=x, y=y, width=SIDE, height=height, radius=3, paint=Paint(stroke=RULE)))
        items += _graph(table, (x, y), node_names)
        if words:
            items.append(Text(x=x + SIDE / 2, y=y + height - 5, text=words[number], size=7, anchor="middle", fill=SOFT))
    width = GAP + columns * (SIDE + GAP)
    return Drawing(
        width=width, height=top + rows * (height + GAP), items=tuple(items), title=title or f"{len(tables)} graphs"
    )


def _graph(table: Shaped[np.ndarray, "v v"], corner: Point, node_names: Sequence[str]) -> list[Item]:
    there = np.flatnonzero(np.diagonal(table))
    kinds, table = np.diagonal(table)[there], table[np.ix_(there, there)]
    if not len(there):
        return [
            Text(x=corner[0] + SIDE / 2, y=corner[1] + SIDE / 2, text="no node", size=7, anchor="middle", fill=SOFT)
        ]
    joined = (table > 0) & ~np.eye(len(table), dtype=bool)
    places = _fitted(layout(joined), corner)
    bonds = [
        bond
        for one, other in zip(*np.nonzero(np.triu(table, 1)), strict=True)
        for bond in _bond(places[one], places[other], int(table[one, other]))
    ]
    small = min(1.0, 2.6 / math.sqrt(max(len(there), 7)) + 0.15)
    nodes = [
        node for place, kind in zip(places, kinds, strict=True) for node in _node(place, int(kind), node_names, small)
    ]
    return [*bonds, *nodes]


def _fitted(places: np.ndarray, corner: Point) -> list[Point]:
    """In the square of a graph, steps at most as long as those of small graphs."""
    reach = np.ptp(places, axis=0)
    scale = min(MOST_STEP, *((SIDE - 2 * ROOM) / length for length in reach if length > 0), math.inf)
    middle = (places.max(0) + places.min(0)) / 2
    moved = (places - middle) * scale + np.array(corner) + SIDE / 2
    return [(float(x), float(y)) for x, y in moved]


def _bond(start: Point, end: Point, lines: int) -> list[Item]:
    """One line, or as many beside each other as the kind of edge has."""
    length = math.dist(start, end) or 1.0
    across = (-(end[1] - start[1]) / length, (end[0] - start[0]) / length)
    paint = Paint(stroke=INK, stroke_width=0.9)
    offsets = [BESIDE * (2 * number - lines + 1) for number in range(lines)]
    return [
        line(
            (start[0] + by * across[0], start[1] + by * across[1]),
            (end[0] + by * across[0], end[1] + by * across[1]),
            paint,
        )
        for by in offsets
    ]


def _node(place: Point, kind: int, node_names: Sequence[str], small: float) -> list[Item]:
    """A dot; of an element but carbon its letters on a white disc."""
    name = node_names[kind - 1]
    if name in COLOURS:
        disc = Circle(x=place[0], y=place[1], radius=LETTER * 0.62, paint=Paint(fill="#ffffff"))
        word = Text(
            x=place[0],
            y=place[1] + LETTER * 0.36,
            text=name,
            size=LETTER,
            weight="bold",
            anchor="middle",
            fill=COLOURS[name],
        )
        return [disc, word]
    if name == "C":
        return [Circle(x=place[0], y=place[1], radius=1.3, paint=Paint(fill=INK))]
    colour = BLUE if len(node_names) == 1 else OKABE_ITO[(kind - 1) % len(OKABE_ITO)]
    return [Circle(x=place[0], y=place[1], radius=DOT * small, paint=Paint(fill=colour), name=name)]
