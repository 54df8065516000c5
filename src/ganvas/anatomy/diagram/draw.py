"""A laid-out diagram as items of a drawing, with its legend."""

import re
from collections.abc import Callable

from ganvas.anatomy.diagram.columns import pill_text
from ganvas.anatomy.diagram.line_style import LOOKS, SIGN_NAMES, Look, look_of, sign
from ganvas.anatomy.diagram.parts import CIRCLE, SIZE, Bracket, Frame, Layout, Placed, Rail
from ganvas.report.drawing.drawing import (
    Circle,
    Drawing,
    Item,
    Paint,
    Path,
    Point,
    Rect,
    Text,
    line,
    polygon,
    rounded,
    text_width,
)
from ganvas.report.drawing.letters import CAPITAL, wrapped
from ganvas.report.drawing.palette import INK, SOFT

MARGIN = 3.0
EDGE = 0.6
LINE, SKIP = Paint(stroke=SOFT, stroke_width=0.9), Paint(stroke=INK, stroke_width=0.8)
NORM = Paint(fill=INK)
NORM_WIDTH = 1.3
Entry = tuple[Callable[[float, float], list[Item]], float]
"""Draws an entry of the legend at a place; and its width."""

SHORT = {"s": "stride", "d": "dilation", "g": "groups"}


def drawn(layout: Layout, *, title: str) -> Drawing:
    """The page: grounds, lines, boxes, skips, resolutions, and the legend under them."""
    items: list[Item] = []
    for frame in layout.frames:
        items += _frame(frame)
    items += [rounded(points, 3.0, LINE) for points in layout.joints]
    items += [_arrow(points[-2], points[-1], fill=SOFT) for points in layout.leaving]
    for rail in layout.rails:
        items += _rail(rail)
    for box in layout.boxes:
        items += _merge(box) if box.block.kind == "merge" else _box(box)
    for bracket in layout.brackets:
        items += _bracket(bracket)
    legend, height = _legend(layout, layout.height + 6.0)
    page = [*items, *legend]
    return Drawing(width=layout.width, height=height + MARGIN, items=tuple(page), title=title)


def _box(box: Placed) -> list[Item]:
    block, look = box.block, look_of(box.block.kind)
    top = box.y - box.height / 2
    name = " ".join(part for part in (block.module, look.name, block.text, str(block.shape)) if part)
    items: list[Item] = [
        Rect(
            x=box.left,
            y=top,
            width=box.width,
            height=box.height,
            radius=0.8,
            paint=Paint(fill=look.fill, stroke=INK, stroke_width=EDGE),
            name=name,
        )
    ]
    if "before" in block.normed:
        items.append(Rect(x=box.left, y=top, width=NORM_WIDTH, height=box.height, paint=NORM))
    if "after" in block.normed:
        items.append(Rect(x=box.right - NORM_WIDTH, y=top, width=NORM_WIDTH, height=box.height, paint=NORM))
    # What is written inside stands in the middle of what the stripes leave.
    shift = (("before" in block.normed) - ("after" in block.normed)) * NORM_WIDTH / 2
    rise = CAPITAL * SIZE / 2
    if look.letter:
        y = top + SIZE if box.height > 8 else box.y + rise
        items.append(_text(box.x + shift, y, look.letter, fill=look.ink, weight="bold", anchor="middle"))
    items += _channels(box, look, shift) if block.kind != "normalisation" else []
    if box.label:
        y = top - 2
        items.append(Text(x=box.x + rise, y=y, text=box.label, size=SIZE, rotation=90))
    if box.times > 1:
        items.append(_times(box))
    return items


def _times(box: Placed) -> Text:
    text = f"×{box.times}"
    if not box.times_upright:
        return _text(box.x, box.bottom - 1.0, text, weight="bold", anchor="middle")
    x = box.x + CAPITAL * SIZE / 2
    return Text(x=x, y=box.bottom, text=text, size=SIZE, weight="bold", rotation=90)


def _channels(box: Placed, look: Look, shift: float) -> list[Item]:
    number, rise = box.number, CAPITAL * SIZE / 2
    if not number:
        return []
    if box.lying:
        return [_text(box.x + shift, box.y + box.height / 2 - 2, number, fill=look.ink, anchor="middle")]
    if box.inside:
        y = box.y + box.height / 2 - 1.5
        return [Text(x=box.x + shift + rise, y=y, text=number, size=SIZE, rotation=90, fill=look.ink)]
    y = box.y + box.height / 2 + 2
    return [Text(x=box.x + rise, y=y, text=number, size=SIZE, rotation=90, anchor="end")]


def _merge(box: Placed) -> list[Item]:
    paint = Paint(fill="#ffffff", stroke=INK, stroke_width=0.8)
    text = sign(box.block.text)
    number = _channels(box, look_of("merge"), 0.0) if box.outside else []
    return [
        *number,
        Circle(x=box.x, y=box.y, radius=CIRCLE, paint=paint, name=f"{box.block.module} {box.block.text}".strip()),
        _text(box.x, box.y + (2.0 if text in "+×−÷" else 1.5), text, weight="bold", anchor="middle"),
    ]


def _rail(rail: Rail) -> list[Item]:
    items: list[Item] = [rounded(rail.points, 2.5, SKIP, name=f"skip {rail.skip.source} to {rail.skip.target}")]
    if not rail.opens:
        x, y = rail.points[0]
        items.append(Circle(x=x, y=y, radius=1.1, paint=Paint(fill=INK)))
    if not rail.closes:
        items.append(_arrow(rail.points[-2], rail.points[-1]))
    for (left, top, right, bottom), block in rail.pills:
        look, name = (
            look_of(block.kind),
            " ".join(part for part in (block.module, block.text, str(block.shape)) if part),
        )
        paint = Paint(fill=look.fill, stroke=INK, stroke_width=EDGE)
        items.append(Rect(x=left, y=top, width=right - left, height=bottom - top, radius=2, paint=paint, name=name))
        y = (top + bottom) / 2 + CAPITAL * SIZE / 2
        items.append(_text((left + right) / 2, y, pill_text(block), fill=look.ink, anchor="middle"))
    if rail.mark:
        for there, (x, y), anchor in ((rail.opens, rail.points[0], "end"), (rail.closes, rail.points[-1], "start")):
            if there:
                items.append(_text(x + (-1 if anchor == "end" else 1), y + 2, rail.mark, anchor=anchor))
    return items


def _arrow(start: Point, end: Point, *, fill: str = INK) -> Path:
    """A small head at the end of a line that runs along an axis."""
    dx, dy = (0.0, 1.0) if abs(end[1] - start[1]) > abs(end[0] - start[0]) else (1.0, 0.0)
    back, wide = 2.6, 1.3
    x, y = end
    points = [(x, y), (x - back * dx - wide * dy, y - back * dy - wide * dx)]
    points.append((x - back * dx + wide * dy, y - back * dy + wide * dx))
    return polygon(points, Paint(fill=fill))


def _frame(frame: Frame) -> list[Item]:
    left, top, right, bottom = frame.box
    paint = Paint(fill="#eceff2", stroke="#a3abb3", stroke_width=0.5, dash=(2.0, 1.2))
    items: list[Item] = [Rect(x=left, y=top, width=right - left, height=bottom - top, radius=2.5, paint=paint)]
    if frame.times > 1:
        items.append(_text((left + right) / 2, bottom + SIZE, f"×{frame.times}", weight="bold", anchor="middle"))
    return items


def _bracket(bracket: Bracket) -> list[Item]:
    y, paint = bracket.y, Paint(stroke=SOFT, stroke_width=0.5)
    middle = (bracket.left + bracket.right) / 2
    if bracket.upright:
        x = middle + CAPITAL * SIZE / 2
        text = Text(x=x, y=y + 2.0, text=bracket.text, size=SIZE, rotation=90, anchor="end")
    else:
        text = _text(middle, y + SIZE + 1.0, bracket.text, anchor="middle")
    return [line((bracket.left, y), (bracket.right, y), paint), text]


def _text(x: float, y: float, text: str, *, fill: str = INK, weight: str = "normal", anchor: str = "start") -> Text:
    return Text(x=x, y=y, text=text, size=SIZE, weight=weight, anchor=anchor, fill=fill)  # type: ignore[arg-type]


# Legend


def _legend(layout: Layout, top: float) -> tuple[list[Item], float]:
    """Entries in rows, then the scales in words; and where it ends."""
    entries = [_swatch(kind) for kind in layout.kinds]
    if layout.normed:
        entries.append(_stripe())
    entries += [
        _sign(text) for text in dict.fromkeys(sign(b.block.text) for b in layout.boxes if b.block.kind == "merge")
    ]
    items: list[Item] = []
    x, y = MARGIN, top
    for entry, width in entries:
        if x + width > layout.width - MARGIN and x > MARGIN:
            x, y = MARGIN, y + 10.5
        items += entry(x, y)
        x += width + 7
    y += 10.5
    for text in _notes(layout):
        for part in wrapped(text, layout.width - 2 * MARGIN, SIZE):
            items.append(_text(MARGIN, y + SIZE, part, fill=SOFT))
            y += SIZE + 2.2
    return items, y


def _swatch(kind: str) -> Entry:
    look = LOOKS[kind]

    def draw(x: float, y: float) -> list[Item]:
        paint = Paint(fill=look.fill, stroke=INK, stroke_width=EDGE)
        items: list[Item] = [Rect(x=x, y=y, width=7, height=8, radius=0.8, paint=paint)]
        if look.letter:
            items.append(_text(x + 3.5, y + 6.2, look.letter, fill=look.ink, weight="bold", anchor="middle"))
        return [*items, _text(x + 9, y + 6.2, look.name)]

    return draw, 9 + text_width(look.name, SIZE)


def _stripe() -> Entry:
    def draw(x: float, y: float) -> list[Item]:
        paint = Paint(fill="#ffffff", stroke=INK, stroke_width=EDGE)
        box = Rect(x=x, y=y, width=7, height=8, radius=0.8, paint=paint)
        stripe = Rect(x=x + 7 - NORM_WIDTH, y=y, width=NORM_WIDTH, height=8, paint=NORM)
        return [box, stripe, _text(x + 9, y + 6.2, "normalisation")]

    return draw, 9 + text_width("normalisation", SIZE)


def _sign(text: str) -> Entry:
    name = SIGN_NAMES.get(text, "merge")

    def draw(x: float, y: float) -> list[Item]:
        paint = Paint(fill="#ffffff", stroke=INK, stroke_width=0.8)
        circle = Circle(x=x + CIRCLE, y=y + 4, radius=CIRCLE, paint=paint)
        letter = _text(x + CIRCLE, y + 4 + (2.0 if text in "+×−÷" else 1.5), text, weight="bold", anchor="middle")
        return [circle, letter, _text(x + 9, y + 6.2, name)]

    return draw, 9 + text_width(name, SIZE)


def _notes(layout: Layout) -> list[str]:
    """The scales, and the signs that are there."""
    words = " ".join([layout.common, *(box.label for box in layout.boxes), ""])
    words += " ".join(block.text for rail in layout.rails for _, block in rail.pills)
    notes = ["Height: log of resolution; width: log of channels (number)"]
    if layout.common:
        notes.append(f"unlabelled: {layout.common}")
    notes += [f"{letter}: {name}" for letter, name in SHORT.items() if re.search(rf"\b{letter}\d", words)]
    if layout.frames or any(box.times > 1 for box in layout.boxes):
        notes.append("×n: n in a row")
    if not all(block.axes.told for block in layout.blocks):
        notes.append("axes that nothing tells: batch, channels, places")
    whole = [notes[0], *(note.replace(" ", "\xa0") for note in notes[1:])]  # Lines break between them.
    return ["; ".join(whole) + "."]
