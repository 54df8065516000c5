"""Charts of a page: the drawing of :mod:`ganvas.report.drawing.panels` as SVG, with values under the pointer.

The page's style sheet gives the drawing's colours another value on a dark ground, by their names in the SVG.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ganvas.core.number_text import number
from ganvas.report.drawing.palette import ON_DARK
from ganvas.report.drawing.panels import Axes, Curve, PlotFrame, chart, chart_frame
from ganvas.report.drawing.primitives import Drawing
from ganvas.report.drawing.svg import FAMILY, elements

HOVER_STRIPS = 48
STYLE = f".chart {{ font-family: {FAMILY}; }} .hover {{ fill: transparent; }} .hover:hover {{ fill: #80808022; }}\n"
DARK_STYLE = "".join(
    f'.chart [fill="{light}"] {{ fill: {dark}; }} .chart [stroke="{light}"] {{ stroke: {dark}; }}\n'
    for light, dark in ON_DARK.items()
)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A line chart of a page, to be drawn at any size."""

    title: str  # Said to those who cannot see the chart.
    curves: Sequence[Curve]
    axes: Axes


def svg(shown: Chart, *, width: int, height: int, cursor: bool = False) -> str:
    """The chart as an ``<svg>`` element of this many pixels, which scales with its surroundings.

    Args:
        cursor: With an upright line that a script may move, and the ends of the horizontal axis for it.
    """
    place = (0.0, 0.0, float(width), float(height))
    items = chart(shown.curves, place, axes=shown.axes)
    frame = chart_frame(shown.curves, place, shown.axes)
    more = [*_hover(shown, frame), *([_cursor(frame)] if cursor else [])]
    return inline(Drawing(width=width, height=height, items=items, title=shown.title), *more)


def _cursor(frame: PlotFrame) -> str:
    ends = {"low": frame.x.low, "high": frame.x.high, "left": frame.left, "right": frame.right}
    written = "".join(f' data-{name}="{value:g}"' for name, value in ends.items())
    return f'<line class="cursor" y1="{frame.top:.1f}" y2="{frame.bottom:.1f}" visibility="hidden"{written}/>'


def inline(drawing: Drawing, *more: str) -> str:
    """A drawing as an element of a page, its points as pixels, with further elements on top."""
    mark = hashlib.sha256(repr((drawing.title, drawing.width, drawing.items[:40])).encode()).hexdigest()[:10]
    definitions, body = elements(drawing.items, prefix=f"clip-{mark}-")
    return (
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width:g} {drawing.height:g}" '
        f'width="{drawing.width:g}" height="{drawing.height:g}" role="img" aria-label="{escape(drawing.title)}">'
        f"{definitions}{body}{''.join(more)}</svg>"
    )


def _hover(shown: Chart, frame: PlotFrame) -> list[str]:
    """Invisible columns that tell the values under the pointer, by the browser's own tooltip."""
    curves = [_points(curve) for curve in shown.curves]
    count = min(HOVER_STRIPS, max((len(x) for x, _, _ in curves), default=0))
    width, parts = (frame.right - frame.left) / max(count, 1), []
    for strip in range(count):
        middle = frame.left + (strip + 0.5) * width
        if text := _told(shown, curves, frame, middle, width):
            height = frame.bottom - frame.top
            box = f'x="{middle - width / 2:.1f}" y="{frame.top:.1f}" width="{width:.1f}" height="{height:.1f}"'
            parts.append(f'<rect class="hover" {box}><title>{escape(text)}</title></rect>')
    return parts


def _told(
    shown: Chart,
    curves: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    frame: PlotFrame,
    middle: float,
    width: float,
) -> str:
    """What the tooltip of one column says; nothing where no curve has a value."""
    lines, where = [], math.nan
    for curve, (x, y, error) in zip(shown.curves, curves, strict=True):
        near = int(np.argmin(np.abs(frame.x.array(x) - middle))) if len(x) else 0
        if len(x) and abs(frame.x(x[near]) - middle) <= width and np.isfinite(y[near]):
            where = x[near]
            spread = f" ± {number(error[near], digits=2)}" if error[near] else ""
            lines.append(f"{curve.name or shown.axes.y_title}: {number(y[near])}{spread}")
    return "\n".join([f"{shown.axes.x_title}: {number(where, digits=6)}", *lines]) if lines else ""


def _points(curve: Curve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = np.asarray(curve.x, np.float64), np.asarray(curve.y, np.float64)
    error = np.zeros(len(x)) if curve.error is None else np.nan_to_num(np.asarray(curve.error, np.float64), posinf=0.0)
    known = np.isfinite(x)
    return x[known], y[known], error[known]
