"""The curves of a plot as items of a drawing: lines, marks, errors, levels, and their names."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganvas.core.number_text import number
from ganvas.report.drawing.letters import CAPITAL, text_width
from ganvas.report.drawing.palette import OKABE_ITO
from ganvas.report.drawing.plot_frame import Axes, Place, PlotFrame
from ganvas.report.drawing.primitives import Circle, Item, Paint, Point, Text, line, polygon, polyline
from ganvas.report.drawing.thinning import running_median, thin

Numbers = Sequence[float] | Sequence[int] | np.ndarray

DASHES = ((), (4.0, 1.5), (1.2, 1.2), (6.0, 1.5, 1.2, 1.5))  # Curves differ in grey print as well.
MOST_ERROR_BARS = 60  # More points than this show their error as a shaded area.
MARK, SAMPLE = 1.4, 14.0  # Radius of a mark, and length of the legend's strokes.


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One series. What is not finite is a gap; on a logarithmic axis so is what is not positive."""

    name: str = ""  # Empty: not in the legend.
    x: Numbers
    y: Numbers
    error: Numbers | None = None  # Half the length of the error bars.
    joined: bool = True
    marks: bool = False
    dash: tuple[float, ...] | None = None  # None: by its place among the curves.
    colour: str | None = None  # None: by its place among the curves.
    stroke_width: float = 1.1
    window: int = 1  # Points of a running median; above 1 the median is drawn, with the values faintly behind.
    level: tuple[float, float | None] | None = None  # A value, with its error, that the curve is held against.


def drawn(curve: Curve, index: int, frame: PlotFrame) -> list[Item]:
    """Everything of one curve that is seen inside the frame."""
    colour = _colour(curve, index)
    x, y = np.asarray(curve.x, np.float64), np.asarray(curve.y, np.float64)
    assert x.shape == y.shape, f"{curve.name}: {x.shape} positions for {y.shape} values"
    items = _level(curve, colour, frame) + _errors(curve, x, y, colour, frame)
    strong = Paint(stroke=colour, stroke_width=curve.stroke_width, dash=_dash(curve, index))
    if curve.joined and curve.window > 1:
        items += _line(x, y, Paint(stroke=colour, stroke_width=0.8, opacity=0.3), frame)
        x, y = running_median(x, y, curve.window)
    if curve.joined:
        items += _line(x, y, strong, frame, name=curve.name, lone=not curve.marks)
    return items + (_marks(curve, x, y, colour, frame) if curve.marks else [])


def _line(
    x: np.ndarray, y: np.ndarray, paint: Paint, frame: PlotFrame, *, name: str = "", lone: bool = False
) -> list[Item]:
    """Straight lines from point to point, broken at gaps; where ``lone``, a point between two gaps is a dot."""
    x, y = thin(x, y, columns=max(1, int(frame.right - frame.left)))
    px, py = frame.x.array(x), frame.y.array(y)
    seen, items = np.isfinite(px) & np.isfinite(py), list[Item]()
    for piece in np.split(np.arange(len(x)), np.flatnonzero(~seen)):
        points = [(float(px[at]), float(py[at])) for at in piece if seen[at]]
        if len(points) > 1:
            items.append(polyline(points, paint, name=name))
        elif points and lone:
            dot = Paint(fill=paint.stroke, opacity=paint.opacity)
            items.append(Circle(x=points[0][0], y=points[0][1], radius=paint.stroke_width / 2, paint=dot, name=name))
    return items


def _marks(curve: Curve, x: np.ndarray, y: np.ndarray, colour: str, frame: PlotFrame) -> list[Item]:
    px, py = frame.x.array(x), frame.y.array(y)
    paint, radius = Paint(fill=colour, opacity=1.0 if curve.joined else 0.6), max(MARK, 1.2 * curve.stroke_width)
    seen = np.flatnonzero(np.isfinite(px) & np.isfinite(py))
    return [Circle(x=float(px[at]), y=float(py[at]), radius=radius, paint=paint) for at in seen]


def _errors(curve: Curve, x: np.ndarray, y: np.ndarray, colour: str, frame: PlotFrame) -> list[Item]:
    """Bars from ``y - error`` to ``y + error``, or one shaded area where bars would touch."""
    if curve.error is None:
        return []
    error = np.nan_to_num(np.asarray(curve.error, np.float64), posinf=0.0)
    px, low, high = frame.x.array(x), y - error, frame.y.array(y + error)
    feet = np.where(frame.y.log & (low <= 0), frame.bottom, frame.y.array(low))
    seen = np.flatnonzero(np.isfinite(px) & np.isfinite(frame.y.array(y)) & (error > 0))
    if len(seen) > MOST_ERROR_BARS:
        outline: list[Point] = [(float(px[at]), float(high[at])) for at in seen]
        outline += [(float(px[at]), float(feet[at])) for at in seen[::-1]]
        return [polygon(outline, Paint(fill=colour, opacity=0.16))]
    thin_line = Paint(stroke=colour, stroke_width=0.6)
    return [line((px[at], feet[at]), (px[at], high[at]), thin_line) for at in seen]


def _level(curve: Curve, colour: str, frame: PlotFrame) -> list[Item]:
    if curve.level is None or not math.isfinite(curve.level[0]) or (frame.y.log and curve.level[0] <= 0):
        return []
    value, error = curve.level
    y, said = frame.y(value), f" ± {number(error, digits=2)}" if error else ""
    dotted = Paint(stroke=colour, stroke_width=1.0, dash=(2.0, 3.0))
    return [line((frame.left, y), (frame.right, y), dotted, name=f"held against {number(value)}{said}")]


def legend_rows(curves: Sequence[Curve], width: float, size: float) -> list[list[int]]:
    """Indices of the named curves, row by row of a legend that is ``width`` points wide."""
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


def legend(curves: Sequence[Curve], place: Place, axes: Axes) -> list[Item]:
    """Strokes and names above the plot."""
    size, items = axes.size, list[Item]()
    y = place[1] + (size + 5 if axes.title else 3) + size / 2
    for row in legend_rows(curves, place[2], size):
        x = place[0]
        for index in row:
            curve, colour = curves[index], _colour(curves[index], index)
            if curve.joined:
                paint = Paint(stroke=colour, stroke_width=curve.stroke_width, dash=_dash(curve, index))
                items.append(line((x, y), (x + SAMPLE, y), paint))
            if curve.marks:
                items.append(Circle(x=x + SAMPLE / 2, y=y, radius=MARK, paint=Paint(fill=colour)))
            items.append(Text(x=x + SAMPLE + 3, y=y + CAPITAL * size / 2, text=curve.name, size=size))
            x += SAMPLE + 3 + text_width(curve.name, size) + 8
        y += size + 3
    return items


def end_room(curves: Sequence[Curve], place: Place, axes: Axes) -> float:
    """Points that names beside the curves' ends take; 0 where they stand in the legend."""
    named = [curve.name for curve in curves if curve.name]
    longest = max((text_width(name, axes.size) for name in named), default=0.0)
    fits = len(named) * (axes.size + 3) <= 0.6 * place[3] and longest < 0.28 * place[2]
    return longest + 10 if named and fits and axes.names_at_ends else 0.0


def end_names(curves: Sequence[Curve], frame: PlotFrame, axes: Axes) -> list[Item]:
    """Each name beside its curve's last point, moved apart where they would touch."""
    ends = sorted(_ends(curves, frame), key=lambda end: end[0][1])
    places = spread([y for (_, y), _ in ends], distance=axes.size + 2, low=frame.top, high=frame.bottom)
    items = list[Item]()
    for ((x, y), index), place in zip(ends, places, strict=True):
        lead = Paint(stroke=_colour(curves[index], index), stroke_width=1.0, opacity=0.6)
        items.append(line((x + 3, y), (frame.right + 6, place), lead))
        text_y = place + CAPITAL * axes.size / 2
        items.append(Text(x=frame.right + 9, y=text_y, text=curves[index].name, size=axes.size))
    return items


def _ends(curves: Sequence[Curve], frame: PlotFrame) -> list[tuple[Point, int]]:
    """The last point that is seen of every named curve, and the curve's index."""
    found = list[tuple[Point, int]]()
    for index, curve in enumerate(curves):
        x, y = np.asarray(curve.x, np.float64), np.asarray(curve.y, np.float64)
        x, y = running_median(x, y, curve.window) if curve.window > 1 else (x, y)
        px, py = frame.x.array(x), frame.y.array(y)
        seen = np.flatnonzero(np.isfinite(px) & np.isfinite(py))
        if curve.name and seen.size:
            last = int(seen[-1])
            found.append(((float(px[last]), float(np.clip(py[last], frame.top, frame.bottom))), index))
    return found


def spread(places: Sequence[float], *, distance: float, low: float, high: float) -> list[float]:
    """Ascending places moved as little as this simple way allows until neighbours are ``distance`` apart.

    >>> spread([10, 11, 50], distance=14, low=0, high=100)
    [10.0, 24.0, 50.0]
    """
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + distance if moved else low) * 1.0)
    for index in range(len(moved) - 1, -1, -1):
        moved[index] = min(moved[index], high - distance * (len(moved) - 1 - index))
    return moved


def _colour(curve: Curve, index: int) -> str:
    return curve.colour or OKABE_ITO[index % len(OKABE_ITO)]


def _dash(curve: Curve, index: int) -> tuple[float, ...]:
    return DASHES[index % len(DASHES)] if curve.dash is None else curve.dash
