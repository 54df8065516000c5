"""The frame of a plot: its scales, ticks, titles, and the shaded stretches behind it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganvas.report.drawing.axis import Scale, tick_text
from ganvas.report.drawing.letters import CAPITAL, fitted, text_width
from ganvas.report.drawing.palette import INK, RULE, SOFT
from ganvas.report.drawing.primitives import Clip, Item, Paint, Path, Rect, Text, line

Place = tuple[float, float, float, float]
"""Left, top, width and height of a whole panel in points."""
Range = tuple[float, float]

Y_ROOM, X_ROOM = 2.5, 3.5  # From tick to tick, in parts of the text's size.
HATCH = 6.0  # Points between the strokes of a hatched stretch.


@dataclass(frozen=True, kw_only=True)
class Band:
    """A stretch of the horizontal axis with a name, such as the time spent at a resolution."""

    start: float
    end: float
    label: str
    hatched: bool = False


@dataclass(frozen=True, kw_only=True)
class Axes:
    """What the axes say and how far they reach; a range left out shows every value."""

    title: str = ""
    x_title: str = ""
    y_title: str = ""
    log_x: bool = False
    log_y: bool = False
    x_range: Range | None = None
    y_range: Range | None = None
    size: float = 7.0  # Of the text.
    whole: bool = False  # Ticks at whole numbers alone, as of pixels.
    x_ticks: Sequence[tuple[float, str]] | None = None  # Own texts at own values, such as names of layers.
    bands: Sequence[Band] = ()
    note: str = ""  # A sentence below the plot.
    names_at_ends: bool = False  # Names beside the curves' ends where there is room, and otherwise in the legend.


@dataclass(frozen=True, kw_only=True)
class PlotFrame:
    """Where the plot's inside stands, and the maps from values to points. Use it to add marks of your own."""

    x: Scale
    y: Scale
    left: float
    top: float
    right: float
    bottom: float


def framed(
    place: Place, axes: Axes, *, x_span: Range, y_span: Range, legend_rows: int = 0, end_room: float = 0.0
) -> PlotFrame:
    """The plot's inside once title, ticks, legend and the names at the curves' ends have their room."""
    left, top, width, height = place
    size = axes.size
    bottom = top + height - (size + 4) - (size + 3) * (bool(axes.x_title) + bool(axes.note))
    top += (size + 5 if axes.title else 3) + (size + 3) * (legend_rows + bool(axes.bands))
    y = Scale(low=y_span[0], high=y_span[1], start=bottom, end=top, log=axes.log_y)
    ticks = y.ticks(most_ticks(bottom - top, Y_ROOM * size), whole=axes.whole)
    texts = max((text_width(tick_text(tick, ticks), size) for tick in ticks), default=0.0)
    right = left + width - text_width("00", size) / 2 - 2 - end_room
    left += texts + 5 + (size + 4 if axes.y_title else 0)
    x = Scale(low=x_span[0], high=x_span[1], start=left, end=right, log=axes.log_x)
    return PlotFrame(x=x, y=y, left=left, top=top, right=right, bottom=bottom)


def ruled(frame: PlotFrame, place: Place, axes: Axes, *, grid: bool = True) -> list[Item]:
    """Titles, ticks and, behind the plot, shaded stretches and thin lines at the ticks."""
    size, items = axes.size, _bands(frame, axes)
    thin, base = Paint(stroke=RULE, stroke_width=0.4), Paint(stroke=SOFT, stroke_width=0.6)
    y_ticks = frame.y.ticks(most_ticks(frame.bottom - frame.top, Y_ROOM * size), whole=axes.whole)
    for tick in y_ticks:
        y, text = frame.y(tick), tick_text(tick, y_ticks)
        across = (frame.left, frame.right) if grid else (frame.left - 2.5, frame.left)
        items.append(line((across[0], y), (across[1], y), thin if grid else base))
        items.append(Text(x=frame.left - 3.5, y=y + CAPITAL * size / 2, text=text, size=size, anchor="end"))
    for value, text in _x_ticks(frame, axes):
        x = frame.x(value)
        items.append(line((x, frame.bottom), (x, frame.bottom + 2.5), base))
        items.append(Text(x=x, y=frame.bottom + size + 3, text=text, size=size, anchor="middle"))
    if grid:
        items.append(line((frame.left, frame.bottom), (frame.right, frame.bottom), base))
    return items + _titles(frame, place, axes)


def upright(text: str, x: float, frame: PlotFrame, size: float) -> Text:
    """A title beside the plot, read from below."""
    y = (frame.top + frame.bottom) / 2
    return Text(x=x, y=y, text=text, size=size, anchor="middle", rotation=90, fill=SOFT)


def most_ticks(length: float, each: float) -> int:
    """As many as fit into a length, and never fewer than three."""
    return max(3, int(length / each))


def _titles(frame: PlotFrame, place: Place, axes: Axes) -> list[Item]:
    size, items = axes.size, list[Item]()
    below = place[1] + place[3] - 2
    if axes.title:
        title = fitted(axes.title, place[2], size, weight="bold")
        items.append(Text(x=place[0], y=place[1] + size, text=title, size=size, weight="bold"))
    if axes.note:
        items.append(Text(x=place[0], y=below, text=fitted(axes.note, place[2], size), size=size, fill=SOFT))
    if axes.x_title:
        x, y = (frame.left + frame.right) / 2, below - (size + 3 if axes.note else 0)
        items.append(Text(x=x, y=y, text=axes.x_title, size=size, anchor="middle", fill=SOFT))
    if axes.y_title:
        items.append(upright(axes.y_title, place[0] + size, frame, size))
    return items


def _x_ticks(frame: PlotFrame, axes: Axes) -> list[tuple[float, str]]:
    if axes.x_ticks is not None:
        return [(value, text) for value, text in axes.x_ticks if frame.x.low <= value <= frame.x.high]
    most = most_ticks(frame.right - frame.left, X_ROOM * axes.size)
    while True:
        ticks = frame.x.ticks(most, whole=axes.whole)
        texts = [tick_text(tick, ticks) for tick in ticks]
        places = [frame.x(tick) for tick in ticks]
        widths = [text_width(text, axes.size) for text in texts]
        gaps = [b - a - (wa + wb) / 2 for a, b, wa, wb in zip(places, places[1:], widths, widths[1:], strict=False)]
        if most <= 2 or min(gaps, default=math.inf) > 3:
            return list(zip(ticks, texts, strict=True))
        most -= 1


def _bands(frame: PlotFrame, axes: Axes) -> list[Item]:
    """Stretches behind the plot: every second name is shaded, what is hatched leads to the name that it bears."""
    items, names = list[Item](), list(dict.fromkeys(band.label for band in axes.bands))
    for band in axes.bands:
        start, end = (_inside(frame, value) for value in (band.start, band.end))
        if names.index(band.label) % 2 and end > start:
            shade = Paint(fill=INK, opacity=0.05)
            items.append(Rect(x=start, y=frame.top, width=end - start, height=frame.bottom - frame.top, paint=shade))
        if band.hatched and end > start:
            items.append(_hatched(frame, start, end))
    return items + _band_names(frame, axes, names)


def _inside(frame: PlotFrame, value: float) -> float:
    return min(max(frame.x(value), frame.left), frame.right)


def _hatched(frame: PlotFrame, start: float, end: float) -> Clip:
    height, stroke = frame.bottom - frame.top, Paint(stroke=INK, stroke_width=1.2, opacity=0.14)
    feet = [start - height + HATCH * index for index in range(math.ceil((end - start + height) / HATCH))]
    strokes = [line((foot, frame.bottom), (foot + height, frame.top), stroke) for foot in feet]
    hatch = Path(commands=tuple(command for one in strokes for command in one.commands), paint=stroke)
    return Clip(x=start, y=frame.top, width=end - start, height=height, items=(hatch,))


def _band_names(frame: PlotFrame, axes: Axes, names: Sequence[str]) -> list[Item]:
    """Each name above the middle of its stretch, hatched parts left aside; one that would touch its neighbour not."""
    items, taken = list[Item](), -math.inf
    for name in names:
        own = [band for band in axes.bands if band.label == name]
        plain = [band for band in own if not band.hatched and band.end > band.start] or own
        centre = (_inside(frame, plain[0].start) + _inside(frame, plain[-1].end)) / 2
        half = text_width(name, axes.size) / 2
        if centre - half > taken:
            y = frame.top - 3
            items.append(Text(x=centre, y=y, text=name, size=axes.size, anchor="middle", fill=SOFT))
            taken = centre + half + 4
    return items
