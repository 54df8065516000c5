"""The curves of a run's page: losses by player, metrics by name, the pace."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ganvas.core.number_text import number
from ganvas.report.drawing.palette import INK, OKABE_ITO
from ganvas.report.drawing.panels import Axes, Band, Curve
from ganvas.report.web.chart import Chart
from ganvas.report.web.run_numbers import Measurement, metric_name

KIMG = "samples shown (kimg)"
SIZE = 11.0  # Of the charts' text, in pixels.
WIDTH, STRONG = 1.5, 2.0  # Of the curves, and of the one to look at first.
PLAYERS = {"D": "Discriminator", "G": "Generator"}
MEDIAN_OVER = 0.02  # Part of a run that a running median of its losses spans, once there are points enough.
DIVERGED = 1e7  # No loss of a game that works is as large, not even nats summed over the pixels of a large picture.
SPIKE = 4.0  # A range this many times the range of 98 % of the values is drawn without its spikes.


def loss_charts(log: Mapping[str, np.ndarray], stages: Sequence[Band]) -> list[Chart]:
    """One chart per phase of the game, from the columns named ``phase/term``. A single line of log draws nothing."""
    if len(log.get("kimg", ())) < 2:
        return []
    phases = dict.fromkeys(key.partition("/")[0] for key in log if "/" in key)
    charts = []
    for phase in phases:
        terms = {key.partition("/")[2]: values for key, values in log.items() if key.partition("/")[0] == phase}
        title = f"{PLAYERS[phase]} ({phase})" if phase in PLAYERS else phase
        charts.append(_loss_chart(title, log["kimg"], {name: y for name, y in terms.items() if name}, stages))
    return charts


def _loss_chart(title: str, kimg: np.ndarray, terms: Mapping[str, np.ndarray], stages: Sequence[Band]) -> Chart:
    every = np.concatenate([np.zeros(0), *terms.values()])
    y_range = without_spikes(every)
    curves = [
        Curve(
            name=term.replace("_", " "),
            x=kimg,
            y=values,
            window=median_window(len(kimg)),
            stroke_width=WIDTH,
            dash=() if index < len(OKABE_ITO) else None,
        )
        for index, (term, values) in enumerate(terms.items())
    ]
    axes = _axes("loss term, mean over the batch", stages, y_range=y_range, note=beyond(every, y_range))
    return Chart(title=title, curves=curves, axes=axes)


def _axes(
    y_title: str,
    stages: Sequence[Band],
    *,
    log_y: bool = False,
    y_range: tuple[float, float] | None = None,
    note: str = "",
) -> Axes:
    return Axes(
        x_title=KIMG,
        y_title=y_title,
        log_y=log_y,
        y_range=y_range,
        size=SIZE,
        bands=stages,
        note=note,
        names_at_ends=True,
    )


def beyond(values: np.ndarray, y_range: tuple[float, float] | None) -> str:
    """Says how many values the frame leaves out: a curve must not hide its peaks silently."""
    if y_range is None:
        return ""
    outside = [(values > y_range[1], "above"), (values < y_range[0], "below")]
    texts = [f"{np.count_nonzero(where)} {side}" for where, side in outside if where.any()]
    if not texts:
        return ""
    furthest = float(values[np.nanargmax(np.where(np.isfinite(values), np.abs(values), -1))])
    return f"{' and '.join(texts)} the frame, as far as {number(furthest, digits=2)}"


def diverged(log: Mapping[str, np.ndarray]) -> str:
    """Names the loss terms that end beyond all measure, with their last values; empty where none does."""
    ends = {name: values[np.isfinite(values)][-1:] for name, values in log.items() if "/" in name}
    far = [
        f"{name} ended at {number(float(end[0]), digits=2)}"
        for name, end in ends.items()
        if np.abs(end).max(initial=0) > DIVERGED
    ]
    return ", ".join(far)


def median_window(points: int) -> int:
    """Points of the running median: none below 200 points, then :data:`MEDIAN_OVER` of the run, an odd number."""
    return 1 if points < 200 else round(points * MEDIAN_OVER) // 2 * 2 + 1


def without_spikes(values: np.ndarray) -> tuple[float, float] | None:
    """The range of 98 % of the values with a margin, when a few spikes would flatten all the rest; otherwise None."""
    finite = values[np.isfinite(values)]
    if finite.size < 50:
        return None
    low, high = (float(edge) for edge in np.quantile(finite, [0.01, 0.99]))
    if high <= low or np.ptp(finite) <= SPIKE * (high - low):
        return None
    margin = 0.15 * (high - low)
    return float(max(low - margin, finite.min())), float(min(high + margin, finite.max()))


def metric_charts(measures: Sequence[Measurement], stages: Sequence[Band]) -> list[tuple[Chart, str]]:
    """A chart, with its caption, for every metric that was measured in one way at two moments or more.

    Only measurements against the run's own data are drawn.
    """
    measures = [one for one in measures if one.own and np.isfinite(one.kimg)]
    bases = dict.fromkeys(result.metric.partition(".")[0] for one in measures for result in one.shown)
    return [drawn for base in bases if (drawn := _metric_chart(base, measures, stages))]


def _metric_chart(base: str, measures: Sequence[Measurement], stages: Sequence[Band]) -> tuple[Chart, str] | None:
    protocol = _usual_protocol(base, measures)
    points: dict[str, list[tuple[float, float, float]]] = {}
    floors: dict[str, tuple[float, float | None]] = {}
    for one in measures:
        for result in one.shown:
            if result.protocol == protocol and result.metric.partition(".")[0] == base and np.isfinite(result.value):
                error = result.standard_error if result.standard_error is not None else np.nan
                points.setdefault(result.metric, []).append((one.kimg, result.value, error))
        floors |= {
            metric: (floor.value, floor.standard_error)
            for (metric, way), floor in one.floors.items()
            if way == protocol
        }
    if len({kimg for rows in points.values() for kimg, _, _ in rows}) < 2:
        return None
    whole = "average" if all(metric.partition(".")[2].isdigit() for metric in points if metric != base) else "the run"
    curves = [_metric_curve(whole if metric == base else "", metric, rows, floors) for metric, rows in points.items()]
    curves = [dataclasses.replace(curves[0], name="")] if len(curves) == 1 else curves
    better = next(r.better for one in measures for r in one.shown if r.metric.partition(".")[0] == base)
    name = metric_name(base, protocol)
    title = name if better == "neither" else f"{name} ({better} is better)"
    axes = _axes(title, stages, log_y=spans_decades(curves))
    dotted = "The dotted line is the real-against-real floor; bars" if any(c.level for c in curves) else "Bars"
    return Chart(title=f"{name} over the run", curves=curves, axes=axes), f"{dotted} are one standard error. {protocol}"


def _usual_protocol(base: str, measures: Sequence[Measurement]) -> str:
    """The protocol with the most points; of equals, the one used last."""
    used = [r.protocol for one in measures for r in one.shown if r.metric.partition(".")[0] == base]
    counts = Counter(used)
    return max(reversed(counts), key=lambda protocol: counts[protocol])


def _metric_curve(
    whole: str,
    metric: str,
    rows: Sequence[tuple[float, float, float]],
    floors: Mapping[str, tuple[float, float | None]],
) -> Curve:
    """A curve in ink for the metric itself, by the name ``whole``; a thinner one for a part of it."""
    kimg, value, error = np.array(sorted(rows), float).T
    part = metric.partition(".")[2]
    return Curve(
        name=whole or (f"{part} px" if part.isdigit() else part.replace("_", " ")),
        x=kimg,
        y=value,
        error=error,
        marks=True,
        dash=(),
        colour=INK if whole else None,
        stroke_width=STRONG if whole else WIDTH,
        level=floors.get(metric) if whole else None,
    )


def spans_decades(curves: Sequence[Curve]) -> bool:
    """Whether a logarithmic axis serves: all values positive, the greatest more than 8 times the least."""
    values = np.concatenate([np.asarray(one.y, float) for one in curves])
    finite = values[np.isfinite(values)]
    return finite.size > 0 and bool(finite.min() > 0 and finite.max() > 8 * finite.min())


def pace_chart(pace: Mapping[str, np.ndarray], stages: Sequence[Band]) -> Chart | None:
    """Samples per second over the run; None with fewer than two reports."""
    speed = pace.get("images_per_second")
    if speed is None or np.count_nonzero(np.isfinite(speed)) < 2:
        return None
    curves = [Curve(x=pace["kimg"], y=speed, colour=INK, stroke_width=STRONG)]
    return Chart(title="Pace", curves=curves, axes=_axes("samples per second", stages, log_y=spans_decades(curves)))
