"""The curves of a chart, their errors and their names, as pieces of SVG."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from ganvas.report.drawing.axis import number
from ganvas.report.web.line_plot import LABEL_PX, LINE_PX, Chart, Frame, Series, legend_rows, points
from ganvas.report.web.thinning import thin

COLOURS = 6  # Of the palette in chart.py.
DASHES = ("", "7 3", "2 3")  # For the second and the third round through the colours.
MOST_ERROR_BARS = 60  # More points than this show their error as a band.
MEDIANS = 400  # Places of a running median.


def colour(series: Series, index: int) -> str:
    return "strong" if series.strong else f"s{index % COLOURS}"


def text_at(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "") -> str:
    classes = f' class="{kind}"' if kind else ""
    anchored = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{classes}{anchored}>{escape(text)}</text>'


def curve(series: Series, index: int, frame: Frame) -> list[str]:
    x, y, error = points(series, frame)
    kind = colour(series, index)
    parts = _errors(x, y, error, kind, frame) if error is not None else []
    columns = max(1, int(frame.right - frame.left))
    if series.window > 1:
        thin_x, thin_y = thin(x, y, columns=columns)
        parts.append(
            f'<path class="curve faint {kind}" d="{path_data(frame.x.array(thin_x), frame.y.array(thin_y))}"/>'
        )
    thin_x, thin_y = thin(*smoothed(x, y, series.window), columns=columns)
    dash = DASHES[min(index // COLOURS, len(DASHES) - 1)]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    parts.append(f'<path class="curve {kind}" d="{path_data(frame.x.array(thin_x), frame.y.array(thin_y))}"{dashed}/>')
    if series.marks and len(x) <= 4 * columns:
        for mark_x, mark_y in zip(frame.x.array(x), frame.y.array(y), strict=True):
            if np.isfinite(mark_y):
                parts.append(f'<circle class="dot {kind}" cx="{mark_x:.1f}" cy="{mark_y:.1f}" r="2.6"/>')
    return parts


def smoothed(x: np.ndarray, y: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """The curve that is drawn strongly: the values, or their running median."""
    return running_median(x, y, window) if window > 1 and len(y) else (x, y)


def running_median(x: np.ndarray, y: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Medians of the finite values among ``window`` neighbouring points, at up to 400 places from first to last.

    The median and not the mean: one spike would draw a box as wide as the window.
    """
    centres = np.unique(np.linspace(0, len(y) - 1, min(len(y), MEDIANS)).round().astype(int))
    around = [y[max(0, c - window // 2) : c + window // 2 + 1] for c in centres]
    medians = [np.median(part[np.isfinite(part)]) if np.isfinite(part).any() else np.nan for part in around]
    return x[centres], np.array(medians)


def path_data(x: np.ndarray, y: np.ndarray) -> str:
    """A path through the points, broken where ``y`` is not finite; a point alone becomes a dot.

    >>> path_data(np.array([0.0, 1, 2, 3]), np.array([5.0, 6, np.nan, 7]))
    'M0.0 5.0L1.0 6.0M3.0 7.0h0'
    """
    parts, drawn = [], np.isfinite(y)
    for index in np.flatnonzero(drawn):
        joined = index > 0 and drawn[index - 1]
        alone = not joined and not (index + 1 < len(y) and drawn[index + 1])
        parts.append(f"{'L' if joined else 'M'}{x[index]:.1f} {y[index]:.1f}{'h0' if alone else ''}")
    return "".join(parts)


def _errors(x: np.ndarray, y: np.ndarray, error: np.ndarray, kind: str, frame: Frame) -> list[str]:
    """Bars from ``y - error`` to ``y + error``, or one band where bars would touch."""
    lowest = frame.y.low if frame.y.log else -math.inf
    above, below = frame.y.array(y + error), frame.y.array(np.maximum(y - error, lowest))
    drawn = np.isfinite(y)
    if np.count_nonzero(drawn) > MOST_ERROR_BARS:
        top = path_data(frame.x.array(x[drawn]), above[drawn])
        back = path_data(frame.x.array(x[drawn])[::-1], below[drawn][::-1])
        return [f'<path class="area {kind}" d="{top}L{back[1:]}Z"/>']
    bars = [
        f"M{px - 3:.1f} {a:.1f}h6M{px:.1f} {a:.1f}V{b:.1f}M{px - 3:.1f} {b:.1f}h6"
        for px, a, b in zip(frame.x.array(x[drawn]), above[drawn], below[drawn], strict=True)
        if b - a >= 1
    ]
    return [f'<path class="curve {kind}" style="stroke-width:1" d="{"".join(bars)}"/>'] if bars else []


def reference(series: Series, index: int, frame: Frame) -> list[str]:
    if series.reference is None or (frame.y.log and series.reference[0] <= 0):
        return []
    level, error = series.reference
    y = frame.y(level)
    return [
        f'<path class="level {colour(series, index)}" d="M{frame.left:.1f} {y:.1f}H{frame.right:.1f}">'
        f"<title>{escape(series.name)}: {number(level)}{f' ± {number(error)}' if error else ''}</title></path>"
    ]


def end_labels(chart: Chart, frame: Frame) -> list[str]:
    """Each name beside its curve's end, moved apart where they would touch."""
    ends = []
    for index, series in enumerate(chart.series):
        x, y, _ = points(series, frame)
        x, y = smoothed(x, y, series.window)
        if np.isfinite(y).any() and series.name:
            last = int(np.flatnonzero(np.isfinite(y))[-1])
            ends.append((frame.x(x[last]), float(np.clip(frame.y(y[last]), frame.top, frame.bottom)), index))
    ends.sort(key=lambda end: end[1])
    places = spread([y for _, y, _ in ends], distance=LINE_PX - 1, low=frame.top, high=frame.bottom)
    parts = []
    for (x, y, index), place in zip(ends, places, strict=True):
        kind = colour(chart.series[index], index)
        parts.append(f'<path class="lead {kind}" d="M{x + 3:.1f} {y:.1f}L{frame.right + 6:.1f} {place:.1f}"/>')
        parts.append(text_at(frame.right + 9, place + 4, chart.series[index].name, kind=f"name {kind}"))
    return parts


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


def legend(chart: Chart, frame: Frame) -> list[str]:
    parts, y = [], frame.bottom + 50
    for row in legend_rows(chart, frame.width):
        x = 4.0
        for index in row:
            series, kind = chart.series[index], colour(chart.series[index], index)
            parts.append(f'<path class="curve {kind}" d="M{x:.1f} {y - 4:.1f}h14"/>')
            parts.append(text_at(x + 19, y, series.name))
            x += LABEL_PX * len(series.name) + 34
        y += LINE_PX
    return parts
