"""Plots as items of a drawing: line chart, scatter, histogram and heat map, each inside a given rectangle.

``place`` is the whole panel's rectangle, left, top, width and height in points; title, tick texts and legend stand
inside it, so that panels tile a page without knowing of each other. Text is 7 points unless said otherwise.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ganvas.core.number_text import number
from ganvas.report.drawing.axis import Scale, span, tick_text
from ganvas.report.drawing.curves import Curve, Numbers, drawn, end_names, end_room, legend, legend_rows
from ganvas.report.drawing.letters import CAPITAL, text_width
from ganvas.report.drawing.palette import OKABE_ITO, SOFT, shaded
from ganvas.report.drawing.plot_frame import (
    Y_ROOM,
    Axes,
    Band,
    Place,
    PlotFrame,
    Range,
    framed,
    most_ticks,
    ruled,
    upright,
)
from ganvas.report.drawing.primitives import Clip, Image, Item, Paint, Rect, Text, line, polygon

__all__ = ["Axes", "Band", "Curve", "PlotFrame", "chart", "chart_frame", "framed", "heat_map", "histogram", "scatter"]


def chart(curves: Sequence[Curve], place: Place, *, axes: Axes | None = None) -> tuple[Item, ...]:
    """A line chart or scatter plot with axes, and a legend above the plot where curves have names."""
    axes = axes or Axes()
    frame = chart_frame(curves, place, axes)
    inside = [item for index, curve in enumerate(curves) for item in drawn(curve, index, frame)]
    room = 2.5  # Marks at the edge are seen whole.
    clip = Clip(
        x=frame.left - room,
        y=frame.top - room,
        width=frame.right - frame.left + 2 * room,
        height=frame.bottom - frame.top + 2 * room,
        items=tuple(inside),
    )
    at_ends = end_room(curves, place, axes) > 0
    names = end_names(curves, frame, axes) if at_ends else legend(curves, place, axes)
    return *ruled(frame, place, axes), clip, *names


def chart_frame(curves: Sequence[Curve], place: Place, axes: Axes) -> PlotFrame:
    """The frame that :func:`chart` draws these curves in."""
    room = end_room(curves, place, axes)
    return framed(
        place,
        axes,
        x_span=_reach(curves, axes, "x"),
        y_span=_reach(curves, axes, "y"),
        legend_rows=0 if room else len(legend_rows(curves, place[2], axes.size)),
        end_room=room,
    )


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
        frame = PlotFrame(**{**vars(frame), "y": Scale(low=top, high=top + rows, start=frame.top, end=frame.bottom)})
    width, height = frame.right - frame.left, frame.bottom - frame.top
    picture = Image(x=frame.left, y=frame.top, width=width, height=height, pixels=shaded(values, low=low, high=high))
    edge = Rect(x=frame.left, y=frame.top, width=width, height=height, paint=Paint(stroke=SOFT, stroke_width=0.5))
    return *ruled(frame, place, axes, grid=False), picture, edge, *_colour_bar(frame, low, high, bar_title, axes)


def _reach(curves: Sequence[Curve], axes: Axes, which: str) -> Range:
    given, log = (axes.x_range, axes.log_x) if which == "x" else (axes.y_range, axes.log_y)
    if given:
        return given
    found = [np.zeros(0)]
    if which == "x":
        found += [np.array([band.start, band.end]) for band in axes.bands]
    for curve in curves:
        values = np.asarray(curve.x if which == "x" else curve.y, np.float64)
        found.append(values)
        if which == "y" and curve.error is not None:
            error = np.nan_to_num(np.asarray(curve.error, np.float64))
            found += [values - error, values + error]
        if which == "y" and curve.level is not None:
            found.append(np.array([curve.level[0]]))
    every = np.concatenate(found)
    if which == "y" or any(not curve.joined for curve in curves):
        return span(every, log=log)
    kept = every[np.isfinite(every) & (every > 0 if log else True)]
    if kept.size and kept.max() > kept.min():
        return float(kept.min()), float(kept.max())
    return span(every, log=log)


def _squared(frame: PlotFrame, rows: int, columns: int) -> PlotFrame:
    """The largest rectangle of the array's proportions at the frame's upper left."""
    pixel = min((frame.right - frame.left) / columns, (frame.bottom - frame.top) / rows)
    right, bottom = frame.left + pixel * columns, frame.top + pixel * rows
    x = Scale(low=frame.x.low, high=frame.x.high, start=frame.left, end=right)
    y = Scale(low=frame.y.low, high=frame.y.high, start=bottom, end=frame.top)
    return PlotFrame(x=x, y=y, left=frame.left, top=frame.top, right=right, bottom=bottom)


def _colour_bar(frame: PlotFrame, low: float, high: float, title: str, axes: Axes) -> list[Item]:
    x, size = frame.right + 6, axes.size
    height = frame.bottom - frame.top
    steps = np.linspace(high, low, 128)[:, None]
    scale = Scale(low=low, high=high, start=frame.bottom, end=frame.top)
    ticks = scale.ticks(most_ticks(height, Y_ROOM * size))
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
        items.append(upright(title, x + 12 + wide + size, frame, size))
    return items
