"""Draws spoilt sets, a row each: pictures, what was done to them, and what metrics say, as points with whiskers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageColor
from spoilt_sets import Row

from ganvas.core.results import Result
from ganvas.report.drawing.axis import Scale, span, tick_text
from ganvas.report.drawing.drawing import Circle, Drawing, Image, Item, Paint, Text, line, polygon, text_width
from ganvas.report.drawing.palette import BLUE, INK, RULE, SOFT, VERMILION
from ganvas.report.drawing.png import pixels
from ganvas.report.pictures.grid import save_png

WIDTH, MARGIN = 525.0, 6.0
SHOWN, SIDE, GAP = 5, 30.0, 2.0  # Pictures of a strip, the side of one, and what is between them.
PITCH, HEAD, FOOT = SIDE + 5, 34.0, 16.0
NAMES = 112.0
SIZE = 8.5
DPI = 153.6  # A picture of 32 pixels is 64 wide.
SURE = 2.0  # Standard errors that two values must be apart to be told apart.


@dataclass(frozen=True, kw_only=True)
class Column:
    """One metric's values of all rows."""

    metric: str
    title: str
    log: bool = False
    reach: tuple[float, float] | None = None  # What lies outside is an arrow at the edge.
    places: int | None = None  # Digits after the point; left out, three digits in all.


def sheet(
    rows: Mapping[str, Row],
    found: Mapping[str, Mapping[str, Result]],
    columns: Sequence[Column],
    *,
    floor: str = "fresh",
) -> Drawing:
    """The whole figure. Without a ``floor``, the set that needs no fault, no value is judged."""
    better = {result[column.metric].better for result in found.values() for column in columns}
    items: list[Item] = _legend("unlike" if better == {"neither"} else "worse than") if floor else []
    for number, row in enumerate(rows.values()):
        items += _strip(row, HEAD + number * PITCH)
    left = MARGIN + SHOWN * (SIDE + GAP) + 4 + NAMES
    width = (WIDTH - MARGIN - left) / len(columns)
    for place, column in enumerate(columns):
        values = {name: found[name][column.metric] for name in rows}
        spoilt = {name: row.spoilt for name, row in rows.items()}
        items += _points(
            column, values, spoilt, found[floor][column.metric] if floor else None, left + place * width, width - 14
        )
    return Drawing(width=WIDTH, height=HEAD + len(rows) * PITCH + FOOT, items=tuple(items))


def stacked(top: Drawing, items: Sequence[Item], *, height: float) -> Drawing:
    """More items below; they are drawn with y from the upper drawing's foot on."""
    return Drawing(width=top.width, height=top.height + height, items=(*top.items, *items))


def save(drawing: Drawing, path: Path) -> None:
    """A PNG of 256 colours, a third of the size of one with all; the marks keep theirs."""
    whole = PIL.Image.fromarray(pixels(drawing, dpi=DPI)).convert("RGB")
    few = whole.quantize(256, dither=PIL.Image.Dither.NONE)
    palette = np.array(few.getpalette()).reshape(-1, 3)
    for colour in (BLUE, VERMILION, SOFT):
        exact = np.array(PIL.ImageColor.getrgb(colour))
        palette[np.abs(palette - exact).sum(1).argmin()] = exact
    few.putpalette(palette.astype(np.uint8).tobytes())
    save_png(few, path)


def sees(value: Result, floor: Result) -> bool:
    """Whether it is worse than another draw of the reals by more than chance, or unlike it where neither is better."""
    apart = value.value - floor.value
    worse = {"lower": apart, "higher": -apart, "neither": abs(apart)}[value.better]
    return worse > SURE * math.hypot(value.standard_error or 0.0, floor.standard_error or 0.0)


def _legend(how: str) -> list[Item]:
    passes = "blind: as good, or better" if how == "worse than" else "blind: like it"
    said = [(BLUE, f"seen: {how} another draw"), (VERMILION, passes)]
    x, items = MARGIN, list[Item]()
    for colour, text in said:
        items.append(Circle(x=x + 3, y=9, radius=3, paint=Paint(fill=colour)))
        items.append(Text(x=x + 9, y=12, text=text, size=SIZE))
        x += 9 + text_width(text, SIZE) + 14
    items.append(Circle(x=x + 3, y=9, radius=3, paint=Paint(fill=SOFT)))
    items.append(Text(x=x + 9, y=12, text="another draw", size=SIZE))
    return items


def _strip(row: Row, top: float) -> list[Item]:
    items: list[Item] = []
    for place in range(SHOWN):
        pixels = row.pictures[place]
        pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
        items.append(Image(x=MARGIN + place * (SIDE + GAP), y=top, width=SIDE, height=SIDE, pixels=pixels))
    lines = row.title.split("\n")
    first = top + SIDE / 2 + 3 - (len(lines) - 1) * 5
    x = MARGIN + SHOWN * (SIDE + GAP) + 4
    return items + [Text(x=x, y=first + 10.5 * at, text=text, size=SIZE) for at, text in enumerate(lines)]


def _points(
    column: Column,
    values: Mapping[str, Result],
    spoilt: Mapping[str, bool],
    floor: Result | None,
    left: float,
    width: float,
) -> list[Item]:
    bottom = HEAD + len(values) * PITCH
    scale = _scale(column, list(values.values()), left, left + width)
    items: list[Item] = [Text(x=left, y=HEAD - 6, text=column.title, size=SIZE, weight="bold")]
    ticks = scale.ticks(max(2, int(width / 34)))
    for tick in ticks:
        items.append(line((scale(tick), HEAD - 2), (scale(tick), bottom), Paint(stroke=RULE, stroke_width=0.4)))
        items.append(
            Text(x=scale(tick), y=bottom + 10, text=tick_text(tick, ticks), size=7.5, anchor="middle", fill=SOFT)
        )
    for number, (name, result) in enumerate(values.items()):
        colour = SOFT if not spoilt[name] else BLUE if floor is None or sees(result, floor) else VERMILION
        items += _point(result, scale, HEAD + number * PITCH + SIDE / 2, colour, column)
    return items


def _point(result: Result, scale: Scale, y: float, colour: str, column: Column) -> list[Item]:
    left, right = min(scale.start, scale.end), max(scale.start, scale.end)
    text, value = said(result, column.places), result.value
    if value < scale.low or value > scale.high:
        edge, way = (left, -1) if value < scale.low else (right, 1)
        arrow = polygon([(edge + way * 3, y), (edge - way * 3, y - 3.5), (edge - way * 3, y + 3.5)], Paint(fill=colour))
        return [arrow, _said(text, edge - way * 6, y, "start" if way < 0 else "end")]
    error = result.standard_error or 0.0
    low, high = (
        min(max(scale(v), left), right) for v in (max(value - error, scale.low), min(value + error, scale.high))
    )
    x = scale(value)
    items: list[Item] = [line((low, y), (high, y), Paint(stroke=colour, stroke_width=1.2))]
    items.append(Circle(x=x, y=y, radius=3, paint=Paint(fill=colour)))
    fits = max(high, x + 3) + 3 + text_width(text, 7.5) <= right + 4
    return [
        *items,
        _said(text, max(high, x + 3) + 3, y, "start") if fits else _said(text, min(low, x - 3) - 3, y, "end"),
    ]


def _said(text: str, x: float, y: float, anchor: str) -> Text:
    return Text(x=x, y=y + 2.8, text=text, size=7.5, anchor=anchor, fill=INK)  # type: ignore[arg-type]


def said(result: Result, places: int | None = None) -> str:
    """A value as a person reads it."""
    if places is not None:
        return f"{result.value:.{places}f}"
    size = abs(result.value)
    if size < 1e-9:
        return "0"
    return f"{result.value:.{max(0, 2 - math.floor(math.log10(size)))}f}" if size < 1000 else f"{result.value:.0f}"


def _scale(column: Column, results: Sequence[Result], start: float, end: float) -> Scale:
    if column.reach:
        low, high = column.reach
    else:
        low, high = span(
            np.array([r.value for r in results if r.value > 1e-9 or not column.log]), log=column.log, pad=0.1
        )
    return Scale(low=low, high=high, start=start, end=end, log=column.log)
