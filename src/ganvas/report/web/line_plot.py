"""What a line chart shows, and where its parts stand in pixels."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ganvas.report.drawing.axis import Scale, span, tick_text

Numbers = Sequence[float] | Sequence[int] | np.ndarray

LABEL_PX, LINE_PX = 6.4, 15  # Mean width of a letter and distance of lines, at the charts' 11.5 px type.


@dataclass(frozen=True, kw_only=True)
class Series:
    """One curve. A value that is not finite is a gap; on a logarithmic axis so is one that is not positive."""

    name: str  # Empty where the chart's title says it all.
    x: Numbers
    y: Numbers
    error: Numbers | None = None  # Half the length of the error bars.
    marks: bool = False  # A dot at every point.
    window: int = 1  # Points of a running median; above 1 it is drawn, with the values faintly behind.
    strong: bool = False  # In the colour of the text and thicker: the one to look at first.
    reference: tuple[float, float | None] | None = None  # A level, with its error, that the curve is held against.


@dataclass(frozen=True, kw_only=True)
class Band:
    """A stretch of the horizontal axis with a name, such as the time spent at a resolution."""

    start: float
    end: float
    label: str
    hatched: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What to draw; :func:`svg` draws it at any size."""

    title: str  # Said to those who cannot see the chart.
    x_title: str  # With the unit.
    y_title: str
    series: Sequence[Series]
    bands: Sequence[Band] = ()
    log_x: bool = False
    log_y: bool = False
    y_range: tuple[float, float] | None = None  # Left out: what shows every value.


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where the plot stands in the picture, and the maps from values to pixels."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    x: Scale
    y: Scale
    labelled: bool  # Names at the curves' ends; otherwise a legend.
    mark: str = field(default="")  # Makes the ids of this drawing its own within a page.


def layout(chart: Chart, *, width: int, height: int) -> Frame:
    """Margins that fit the tick texts and the names, and the two scales."""
    edges = [np.array([band.start, band.end]) for band in chart.bands]
    x_values = joined([np.asarray(series.x, float) for series in chart.series] + edges)
    x_low, x_high = _tight(x_values, log=chart.log_x)
    y_low, y_high = chart.y_range or span(_y_values(chart), log=chart.log_y)
    ticks = Scale(low=y_low, high=y_high, start=1, end=0, log=chart.log_y).ticks(6)
    left = 12 + LABEL_PX * max((len(tick_text(tick, ticks)) for tick in ticks), default=3)
    letters = max((len(series.name) for series in chart.series), default=0)
    longest = LABEL_PX * letters + 16 if letters else 12
    labelled = 0 < len(chart.series) * LINE_PX <= height - 80 and longest < 0.28 * width
    right = width - (longest if labelled else 12)
    top, bottom = (42.0 if chart.bands else 26.0), height - 38.0
    extra = 0 if labelled else LINE_PX * len(legend_rows(chart, width))
    return Frame(
        width=width,
        height=height + extra,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        x=Scale(low=x_low, high=x_high, start=left, end=right, log=chart.log_x),
        y=Scale(low=y_low, high=y_high, start=bottom, end=top, log=chart.log_y),
        labelled=labelled,
        mark=hashlib.sha256(repr((chart, width, height)).encode()).hexdigest()[:10],
    )


def _y_values(chart: Chart) -> np.ndarray:
    found = []
    for series in chart.series:
        y = np.asarray(series.y, float)
        found.append(y)
        if series.error is not None:
            error = np.nan_to_num(np.asarray(series.error, float))
            found += [y + error, y - error]
        if series.reference is not None:
            found.append(np.array([series.reference[0]]))
    return joined(found)


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0), *arrays])


def _tight(values: np.ndarray, *, log: bool) -> tuple[float, float]:
    """The exact range of the values: time has no margin."""
    finite = values[np.isfinite(values) & (values > 0 if log else True)]
    if finite.size and finite.max() > finite.min():
        return float(finite.min()), float(finite.max())
    return span(finite, log=log)


def legend_rows(chart: Chart, width: int) -> list[list[int]]:
    rows: list[list[int]] = []
    filled = math.inf
    for index, series in enumerate(chart.series):
        need = LABEL_PX * len(series.name) + 34
        if filled + need > width - 12:
            rows.append([])
            filled = 0
        rows[-1].append(index)
        filled += need
    return rows


def points(series: Series, frame: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """x ascending, y with ``nan`` for what cannot be drawn, the error with 0 for what is not known."""
    x, y = np.asarray(series.x, float), np.asarray(series.y, float)
    assert x.shape == y.shape, f"{series.name}: {x.shape} positions for {y.shape} values"
    order = np.argsort(x[np.isfinite(x)], kind="stable")
    y = np.where(np.isfinite(y) & ((y > 0) | (not frame.y.log)), y, np.nan)
    kept = np.flatnonzero(np.isfinite(x))[order]
    error = None if series.error is None else np.nan_to_num(np.asarray(series.error, float), posinf=0.0)[kept]
    return x[kept], y[kept], error
