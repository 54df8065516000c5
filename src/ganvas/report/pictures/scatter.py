"""Sheets of points: real ones in grey, generated ones in colour over them; on a line, how often each place is met."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

from ganvas.report.drawing.axis import Scale, tick_text
from ganvas.report.drawing.palette import BLUE, INK, RULE, SOFT, rgb
from ganvas.report.drawing.primitives import (
    Clip,
    Drawing,
    Image,
    Item,
    Paint,
    Point,
    Rect,
    Text,
    line,
    polygon,
    polyline,
)

Cloud = Float[np.ndarray, "n d"]
Span = tuple[float, float]

SIDE, LEFT, TOP, FOOT = 300.0, 28.0, 20.0, 20.0  # Of the plot's inside, and the room around it, in points.
DOT, BINS, TICKS = 1.0, 60, 7  # Radius of a dot in points, bins of a histogram, most ticks of an axis.
FINE = 4  # Pixels per point in which dots are painted.
OPACITY = 0.6  # Of one generated point.
MARGIN = 0.08  # Around the reals, in parts of their reach.
REAL = "#aab2b9"


def scatter(generated: Cloud, real: Float[np.ndarray, "m d"] | None = None, *, title: str = "") -> Drawing:
    """A square sheet of both clouds, as far as the reals reach; what lies outside is counted, not drawn.

    Args:
        generated: Points of one or more dimensions; of more than two, the first two are shown.
        real: Points of as many dimensions. Without them the sheet reaches as far as the generated ones.
        title: Words above the plot.
    """
    of_reach = generated if real is None or not len(real) else real
    if generated.shape[1] == 1:
        return _on_a_line(generated[:, 0], None if real is None else real[:, 0], of_reach[:, 0], title)
    spans = equal_spans([span_of(of_reach[:, axis]) for axis in (0, 1)])
    x = Scale(low=spans[0][0], high=spans[0][1], start=LEFT, end=LEFT + SIDE)
    y = Scale(low=spans[1][0], high=spans[1][1], start=TOP + SIDE, end=TOP)
    clouds = ([] if real is None else [(real, REAL, 1.0)]) + [(generated, BLUE, OPACITY)]
    outside = len(generated) - _inside(generated, spans)
    ticks = tick_marks(x, TOP + SIDE + 10, along_x=True) + tick_marks(y, LEFT - 4, along_x=False)
    dots = Image(x=LEFT, y=TOP, width=SIDE, height=SIDE, pixels=painted_dots(clouds, spans), smooth=True)
    return _sheet([dots], ticks, title, outside)


def _on_a_line(generated: np.ndarray, real: np.ndarray | None, of_reach: np.ndarray, title: str) -> Drawing:
    """Histograms over one axis: filled for the reals, an outline for the generated points."""
    span = span_of(of_reach)
    shares = [_shares(values, span) for values in (real, generated) if values is not None]
    most = max(float(share.max()) for share in shares) or 1.0
    x = Scale(low=span[0], high=span[1], start=LEFT, end=LEFT + SIDE)
    y = Scale(low=0.0, high=1.05 * most, start=TOP + SIDE, end=TOP)
    steps = [_steps(share, x, y) for share in shares]
    items: list[Item] = [] if real is None else [polygon(steps[0], Paint(fill=REAL))]
    items.append(polyline(steps[-1], Paint(stroke=BLUE, stroke_width=1.2)))
    outside = int(((generated < span[0]) | (generated > span[1])).sum())
    ticks = tick_marks(x, TOP + SIDE + 10, along_x=True) + tick_marks(y, LEFT - 4, along_x=False)
    return _sheet(items, ticks, title, outside)


def _sheet(inside: Sequence[Item], ticks: Sequence[Item], title: str, outside: int) -> Drawing:
    frame = Rect(x=LEFT, y=TOP, width=SIDE, height=SIDE, paint=Paint(stroke=RULE))
    clip = Clip(x=LEFT, y=TOP, width=SIDE, height=SIDE, items=tuple(inside))
    words: list[Item] = [Text(x=LEFT, y=TOP - 7, text=title, size=9, fill=INK)] if title else []
    if outside:
        note = f"{outside:,} outside"
        words.append(Text(x=LEFT + SIDE, y=TOP - 7, text=note, size=8, anchor="end", fill=SOFT))
    width, height = LEFT + SIDE + 12, TOP + SIDE + FOOT
    return Drawing(width=width, height=height, items=(clip, frame, *ticks, *words), title=title or "Points")


def painted_dots(clouds: Sequence[tuple[np.ndarray, str, float]], spans: Sequence[Span]) -> UInt8[np.ndarray, "h w 3"]:
    """Round dots in each cloud's colour and opacity, as pixels: thousands of circles would take seconds to draw."""
    side, radius = round(SIDE * FINE), DOT * FINE
    reach = np.arange(-math.ceil(radius), math.ceil(radius) + 1)
    down, across = (
        grid[reach[:, None] ** 2 + reach**2 <= radius**2] for grid in np.meshgrid(reach, reach, indexing="ij")
    )
    canvas = np.full((side, side, 3), 255, np.float64)
    for points, colour, opacity in clouds:
        (left, right), (bottom, top) = spans
        x = np.rint((points[:, 0] - left) / (right - left) * side)
        y = np.rint((top - points[:, 1]) / (top - bottom) * side)
        near = (np.abs(x - side / 2) <= side / 2 + radius) & (np.abs(y - side / 2) <= side / 2 + radius)
        rows = (y[near].astype(int)[:, None] + down).ravel()
        columns = (x[near].astype(int)[:, None] + across).ravel()
        seen = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
        layers = np.bincount(rows[seen] * side + columns[seen], minlength=side * side).reshape(side, side, 1)
        through = (1 - opacity) ** layers  # Dots that lie over each other cover more.
        canvas = through * canvas + (1 - through) * np.array(rgb(colour))
    return np.rint(canvas).astype(np.uint8)


def tick_marks(scale: Scale, at: float, *, along_x: bool) -> list[Item]:
    """Short lines and numbers at round values."""
    values = scale.ticks(TICKS)
    items: list[Item] = []
    for value in values:
        place = scale(value)
        ends: tuple[Point, Point] = (
            ((place, TOP + SIDE), (place, TOP + SIDE + 2.5)) if along_x else ((LEFT - 2.5, place), (LEFT, place))
        )
        items.append(line(*ends, Paint(stroke=RULE)))
        left, top = (place, at) if along_x else (at, place + 2.5)
        text = tick_text(value, values)
        items.append(Text(x=left, y=top, text=text, size=7, anchor="middle" if along_x else "end", fill=SOFT))
    return items


def span_of(values: np.ndarray) -> Span:
    """From the lowest to the highest finite value, with a margin; never empty."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    margin = MARGIN * (high - low) or max(1.0, abs(high)) * MARGIN
    return low - margin, high + margin


def equal_spans(spans: Sequence[Span]) -> list[Span]:
    """The spans around their middles, all as wide as the widest: a circle is drawn as a circle."""
    half = max(high - low for low, high in spans) / 2
    return [((low + high) / 2 - half, (low + high) / 2 + half) for low, high in spans]


def _inside(points: Cloud, spans: Sequence[Span]) -> int:
    within = [(points[:, axis] >= low) & (points[:, axis] <= high) for axis, (low, high) in enumerate(spans)]
    return int(np.logical_and(*within).sum())


def _shares(values: np.ndarray, span: Span) -> np.ndarray:
    return np.histogram(values[np.isfinite(values)], bins=BINS, range=span)[0] / max(len(values), 1)


def _steps(shares: np.ndarray, x: Scale, y: Scale) -> list[Point]:
    edges = np.linspace(x.low, x.high, BINS + 1)
    steps = [(x(float(edges[0])), y(0.0))]
    for share, left, right in zip(shares, edges, edges[1:], strict=False):
        steps += [(x(float(left)), y(float(share))), (x(float(right)), y(float(share)))]
    return [*steps, (x(float(edges[-1])), y(0.0))]
