"""Plots as items of a drawing: line chart, scatter, histogram and heat map, each inside a given rectangle.

``place`` is the whole panel's rectangle, left, top, width and height in points; title, tick texts and legend stand
inside it, so that panels tile a page without knowing of each other. Text is 7 points unless said otherwise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ganvas.report.drawing.axis import Scale, number, span, tick_text
from ganvas.report.drawing.letters import CAPITAL, fitted, text_width
from ganvas.report.drawing.palette import OKABE_ITO, RULE, SOFT, shaded
from ganvas.report.drawing.primitives import Circle, Clip, Image, Item, Paint, Rect, Text, line, polygon, polyline

Place = tuple[float, float, float, float]
Range = tuple[float, float]
Numbers = Sequence[float] | Sequence[int] | np.ndarray

DASHES = ((), (4.0, 1.5), (1.2, 1.2), (6.0, 1.5, 1.2, 1.5))  # Curves differ in grey print as well.


Y_ROOM, X_ROOM = 2.5, 3.5  # From tick to tick, in parts of the text's size.


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One series. What is not finite is a gap; on a logarithmic axis so is what is not positive."""

    name: str = ""  # Empty: not in the legend.
    x: Numbers
    y: Numbers
    error: Numbers | None = None  # Half the length of the error bars.
    joined: bool = True
    marks: bool = False
    dash: tuple[float, ...] | None = None  # Left out: by its place among the curves.
    colour: str | None = None  # Left out: by its place among the curves.
    stroke_width: float = 1.1


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


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where the plot's inside stands, and the maps from values to points. Use it to add marks of your own."""

    x: Scale
    y: Scale
    left: float
    top: float
    right: float
    bottom: float


def chart(curves: Sequence[Curve], place: Place, *, axes: Axes | None = None) -> tuple[Item, ...]:
    """A line chart or scatter plot with axes, and a legend above the plot where curves have names."""
    axes = axes or Axes()
    frame = framed(place, axes, x_span=_reach(curves, axes, "x"), y_span=_reach(curves, axes, "y"), curves=curves)
    inside = [item for index, curve in enumerate(curves) for item in _curve(curve, index, frame, axes)]
    room = 2.5  # Marks at the edge are seen whole.
    clip = Clip(
        x=frame.left - room,
        y=frame.top - room,
        width=frame.right - frame.left + 2 * room,
        height=frame.bottom - frame.top + 2 * room,
        items=tuple(inside),
    )
    return *ruled(frame, place, axes), clip, *_legend(curves, place, axes)


def scatter(x: Numbers, y: Numbers, place: Place, *, axes: Axes | None = None, name: str = "") -> tuple[Item, ...]:
    """One cloud of points."""
    return chart([Curve(name=name, x=x, y=y, joined=False, marks=True)], place, axes=axes)


def histogram(
    values: Numbers, place: Place, *, bins: int = 40, axes: Axes | None = None, colour: str = OKABE_ITO[0]
) -> tuple[Item, ...]:
    """Shares of the finite values per bin, as a filled outline; says how many values it leaves out."""
    axes = axes or Axes()
    given = np.asarray(values, np.float64).ravel()
    finite = given[np.isfinite(given)]
    low, high = axes.x_range or span(finite, log=False, pad=0.0)
    counts, edges = np.histogram(finite, bins=bins, range=(low, high))
    shares = counts / max(given.size, 1)
    frame = framed(place, axes, x_span=(low, high), y_span=axes.y_range or (0.0, float(shares.max()) * 1.05 or 1.0))
    floor = frame.bottom
    steps = [(frame.x(low), floor)]
    for share, left, right in zip(shares, edges, edges[1:], strict=False):
        top = max(frame.y(float(share)) if share > 0 or not axes.log_y else floor, frame.top)
        steps += [(frame.x(float(left)), top), (frame.x(float(right)), top)]
    steps.append((frame.x(high), floor))
    body = polygon(steps, Paint(fill=colour, stroke=colour, stroke_width=0.4), name=f"{given.size} values")
    missing = given.size - int(counts.sum())
    note = Text(x=frame.right - 1, y=frame.top + axes.size, text=f"{missing} outside", size=axes.size - 1, anchor="end")
    return *ruled(frame, place, axes), body, *((note,) if missing else ())


def heat_map(
    values: Float[np.ndarray, "h w"],
    place: Place,
    *,
    axes: Axes | None = None,
    value_range: Range | None = None,
    bar_title: str = "",
    square: bool = True,
    origin: tuple[float, float] = (0.0, 0.0),
) -> tuple[Item, ...]:
    """An array as a picture, row 0 at the top, with a colour bar.

    Args:
        square: Pixels are squares; otherwise the picture fills its place.
        axes: Ranges name the array's edges (by default its rows and columns, rows counted from the top).
        origin: Row and column that the first element has in a larger array of which this is a part.
    """
    axes = axes or Axes()
    finite = values[np.isfinite(values)]
    low, high = value_range or ((float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0))
    high = high if high > low else low + 1.0
    bar = Scale(low=low, high=high, start=1.0, end=0.0)
    ticks = bar.ticks(5)
    texts = max((text_width(tick_text(tick, ticks), axes.size) for tick in ticks), default=0.0)
    right = 6 + 6 + 4 + texts + (axes.size + 3 if bar_title else 0)
    rows, columns = values.shape
    top, left = origin
    x_span, y_span = axes.x_range or (left, left + columns), axes.y_range or (top, top + rows)
    frame = framed((place[0], place[1], place[2] - right, place[3]), axes, x_span=x_span, y_span=y_span)
    if square:
        frame = _squared(frame, rows, columns)
    if axes.y_range is None:  # Rows count from the top.
        frame = Frame(**{**vars(frame), "y": Scale(low=top, high=top + rows, start=frame.top, end=frame.bottom)})
    width, height = frame.right - frame.left, frame.bottom - frame.top
    picture = Image(x=frame.left, y=frame.top, width=width, height=height, pixels=shaded(values, low=low, high=high))
    edge = Rect(x=frame.left, y=frame.top, width=width, height=height, paint=Paint(stroke=SOFT, stroke_width=0.5))
    return *ruled(frame, place, axes, grid=False), picture, edge, *_colour_bar(frame, low, high, bar_title, axes)


def framed(place: Place, axes: Axes, *, x_span: Range, y_span: Range, curves: Sequence[Curve] = ()) -> Frame:
    """The plot's inside once title, ticks and legend have their room."""
    left, top, width, height = place
    size = axes.size
    bottom = top + height - (size + 4) - (size + 3 if axes.x_title else 0)
    top += (size + 5 if axes.title else 3) + (size + 3) * len(_legend_rows(curves, width, size))
    y = Scale(low=y_span[0], high=y_span[1], start=bottom, end=top, log=axes.log_y)
    ticks = y.ticks(_most(bottom - top, Y_ROOM * size), whole=axes.whole)
    texts = max((text_width(tick_text(tick, ticks), size) for tick in ticks), default=0.0)
    right = left + width - text_width("00", size) / 2 - 2
    left += texts + 5 + (size + 4 if axes.y_title else 0)
    x = Scale(low=x_span[0], high=x_span[1], start=left, end=right, log=axes.log_x)
    return Frame(x=x, y=y, left=left, top=top, right=right, bottom=bottom)


def ruled(frame: Frame, place: Place, axes: Axes, *, grid: bool = True) -> list[Item]:
    """Titles, ticks and, behind the plot, thin lines at the ticks."""
    size, items = axes.size, list[Item]()
    thin, base = Paint(stroke=RULE, stroke_width=0.4), Paint(stroke=SOFT, stroke_width=0.6)
    y_ticks = frame.y.ticks(_most(frame.bottom - frame.top, Y_ROOM * size), whole=axes.whole)
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


def _titles(frame: Frame, place: Place, axes: Axes) -> list[Item]:
    size, items = axes.size, list[Item]()
    if axes.title:
        title = fitted(axes.title, place[2], size, weight="bold")
        items.append(Text(x=place[0], y=place[1] + size, text=title, size=size, weight="bold"))
    if axes.x_title:
        x, y = (frame.left + frame.right) / 2, place[1] + place[3] - 2
        items.append(Text(x=x, y=y, text=axes.x_title, size=size, anchor="middle", fill=SOFT))
    if axes.y_title:
        items.append(_upright(axes.y_title, place[0] + size, frame, size))
    return items


def _upright(text: str, x: float, frame: Frame, size: float) -> Text:
    y = (frame.top + frame.bottom) / 2
    return Text(x=x, y=y, text=text, size=size, anchor="middle", rotation=90, fill=SOFT)


def _x_ticks(frame: Frame, axes: Axes) -> list[tuple[float, str]]:
    if axes.x_ticks is not None:
        return [(value, text) for value, text in axes.x_ticks if frame.x.low <= value <= frame.x.high]
    most = _most(frame.right - frame.left, X_ROOM * axes.size)
    while True:
        ticks = frame.x.ticks(most, whole=axes.whole)
        texts = [tick_text(tick, ticks) for tick in ticks]
        places = [frame.x(tick) for tick in ticks]
        widths = [text_width(text, axes.size) for text in texts]
        gaps = [b - a - (wa + wb) / 2 for a, b, wa, wb in zip(places, places[1:], widths, widths[1:], strict=False)]
        if most <= 2 or min(gaps, default=math.inf) > 3:
            return list(zip(ticks, texts, strict=True))
        most -= 1


def _most(length: float, each: float) -> int:
    return max(3, int(length / each))


def _reach(curves: Sequence[Curve], axes: Axes, which: str) -> Range:
    given, log = (axes.x_range, axes.log_x) if which == "x" else (axes.y_range, axes.log_y)
    if given:
        return given
    found = [np.zeros(0)]
    for curve in curves:
        values = np.asarray(curve.x if which == "x" else curve.y, np.float64)
        found.append(values)
        if which == "y" and curve.error is not None:
            error = np.nan_to_num(np.asarray(curve.error, np.float64))
            found += [values - error, values + error]
    every = np.concatenate(found)
    if which == "y" or any(not curve.joined for curve in curves):
        return span(every, log=log)
    kept = every[np.isfinite(every) & (every > 0 if log else True)]
    if kept.size and kept.max() > kept.min():
        return float(kept.min()), float(kept.max())
    return span(every, log=log)


def _curve(curve: Curve, index: int, frame: Frame, axes: Axes) -> list[Item]:
    colour, items = _colour(curve, index), list[Item]()
    x, y = np.asarray(curve.x, np.float64), np.asarray(curve.y, np.float64)
    assert x.shape == y.shape, f"{curve.name}: {x.shape} positions for {y.shape} values"
    px, py = frame.x.array(x), frame.y.array(y)
    seen = np.isfinite(px) & np.isfinite(py)
    if curve.error is not None:
        error = np.nan_to_num(np.asarray(curve.error, np.float64))
        for at in np.flatnonzero(seen & (error > 0)):
            low = y[at] - error[at]
            foot = frame.bottom if axes.log_y and low <= 0 else frame.y(low)
            thin = Paint(stroke=colour, stroke_width=0.6)
            items.append(line((px[at], foot), (px[at], frame.y(y[at] + error[at])), thin))
    paint = Paint(stroke=colour, stroke_width=curve.stroke_width, dash=_dash(curve, index))
    for piece in np.split(np.arange(len(x)), np.flatnonzero(~seen)) if curve.joined else []:
        points = [(float(px[at]), float(py[at])) for at in piece if seen[at]]
        if len(points) > 1:
            items.append(polyline(points, paint, name=curve.name))
    if curve.marks:
        mark = Paint(fill=colour, opacity=1.0 if curve.joined else 0.6)
        items += [Circle(x=float(px[at]), y=float(py[at]), radius=1.4, paint=mark) for at in np.flatnonzero(seen)]
    return items


def _colour(curve: Curve, index: int) -> str:
    return curve.colour or OKABE_ITO[index % len(OKABE_ITO)]


def _dash(curve: Curve, index: int) -> tuple[float, ...]:
    return DASHES[index % len(DASHES)] if curve.dash is None else curve.dash


SAMPLE = 14.0  # Length of the legend's strokes.


def _legend_rows(curves: Sequence[Curve], width: float, size: float) -> list[list[int]]:
    rows, filled = list[list[int]](), math.inf
    for index, curve in enumerate(curves):
        if curve.name:
            need = SAMPLE + 3 + text_width(curve.name, size) + 8
            if filled + need > width + 8:
                rows.append([])
                filled = 0.0
            rows[-1].append(index)
            filled += need
    return rows


def _legend(curves: Sequence[Curve], place: Place, axes: Axes) -> list[Item]:
    size, items = axes.size, list[Item]()
    y = place[1] + (size + 5 if axes.title else 3) + size / 2
    for row in _legend_rows(curves, place[2], size):
        x = place[0]
        for index in row:
            curve, colour = curves[index], _colour(curves[index], index)
            if curve.joined:
                paint = Paint(stroke=colour, stroke_width=curve.stroke_width, dash=_dash(curve, index))
                items.append(line((x, y), (x + SAMPLE, y), paint))
            if curve.marks:
                items.append(Circle(x=x + SAMPLE / 2, y=y, radius=1.4, paint=Paint(fill=colour)))
            items.append(Text(x=x + SAMPLE + 3, y=y + CAPITAL * size / 2, text=curve.name, size=size))
            x += SAMPLE + 3 + text_width(curve.name, size) + 8
        y += size + 3
    return items


def _squared(frame: Frame, rows: int, columns: int) -> Frame:
    """The largest rectangle of the array's proportions at the frame's upper left."""
    pixel = min((frame.right - frame.left) / columns, (frame.bottom - frame.top) / rows)
    right, bottom = frame.left + pixel * columns, frame.top + pixel * rows
    x = Scale(low=frame.x.low, high=frame.x.high, start=frame.left, end=right)
    y = Scale(low=frame.y.low, high=frame.y.high, start=bottom, end=frame.top)
    return Frame(x=x, y=y, left=frame.left, top=frame.top, right=right, bottom=bottom)


def _colour_bar(frame: Frame, low: float, high: float, title: str, axes: Axes) -> list[Item]:
    x, size = frame.right + 6, axes.size
    height = frame.bottom - frame.top
    steps = np.linspace(high, low, 128)[:, None]
    scale = Scale(low=low, high=high, start=frame.bottom, end=frame.top)
    ticks = scale.ticks(_most(height, Y_ROOM * size))
    items: list[Item] = [
        Image(x=x, y=frame.top, width=6, height=height, pixels=shaded(steps, low=low, high=high), smooth=True),
        Rect(x=x, y=frame.top, width=6, height=height, paint=Paint(stroke=SOFT, stroke_width=0.5)),
    ]
    texts = [tick_text(tick, ticks) for tick in ticks] if ticks else [number(low)]
    for tick, text in zip(ticks or [low], texts, strict=True):
        y = scale(tick)
        items.append(line((x + 6, y), (x + 8, y), Paint(stroke=SOFT, stroke_width=0.5)))
        items.append(Text(x=x + 9.5, y=y + CAPITAL * size / 2, text=text, size=size))
    if title:
        wide = max(text_width(text, size) for text in texts)
        items.append(_upright(title, x + 12 + wide + size, frame, size))
    return items
