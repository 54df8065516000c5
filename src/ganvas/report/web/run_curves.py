"""Which curves a run's page shows: losses by player, metrics by name, the pace."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ganvas.report.web.chart import Band, Chart, Series
from ganvas.report.web.run_numbers import NAMES, Measurement, metric_name

KIMG = "images shown (kimg)"
PLAYERS = {"D": "Discriminator", "G": "Generator"}
MEDIAN_OVER = 0.02  # Part of a run that a running median of its losses spans, once there are points enough.
SPIKE = 4.0  # A range this many times the range of 98 % of the values is drawn without its spikes.


def loss_charts(log: Mapping[str, np.ndarray], stages: Sequence[Band]) -> list[Chart]:
    """One chart per phase of the game, from the columns named ``phase/term``. A single line of log draws nothing."""
    if len(log.get("kimg", ())) < 2:
        return []
    phases = dict.fromkeys(key.partition("/")[0] for key in log if "/" in key)
    charts = []
    for phase in phases:
        terms = {key.partition("/")[2]: values for key, values in log.items() if key.partition("/")[0] == phase}
        window = median_window(len(log["kimg"]))
        series = [
            Series(name=term.replace("_", " "), x=log["kimg"], y=values, window=window)
            for term, values in terms.items()
            if term
        ]
        charts.append(
            Chart(
                title=f"{PLAYERS[phase]} ({phase})" if phase in PLAYERS else phase,
                x_title=KIMG,
                y_title="loss term, mean over the batch",
                series=series,
                bands=stages,
                y_range=without_spikes(np.concatenate(list(terms.values()))),
            )
        )
    return charts


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
    """A chart, with its caption, for every metric that was measured in one way at two moments or more."""
    bases = dict.fromkeys(result.metric.partition(".")[0] for one in measures for result in one.results)
    return [drawn for base in bases if (drawn := _metric_chart(base, measures, stages))]


def _metric_chart(base: str, measures: Sequence[Measurement], stages: Sequence[Band]) -> tuple[Chart, str] | None:
    protocol = _usual_protocol(base, measures)
    points: dict[str, list[tuple[float, float, float]]] = {}
    floors: dict[str, tuple[float, float | None]] = {}
    for one in measures:
        for result in one.results:
            if result.protocol == protocol and result.metric.partition(".")[0] == base:
                error = result.standard_error if result.standard_error is not None else np.nan
                points.setdefault(result.metric, []).append((one.kimg, result.value, error))
        for floor in one.floor:
            if floor.protocol == protocol:
                floors[floor.metric] = (floor.value, floor.standard_error)
    if len({kimg for rows in points.values() for kimg, _, _ in rows}) < 2:
        return None
    series = [_metric_series(metric, base, rows, floors) for metric, rows in points.items()]
    series = [dataclasses.replace(series[0], name="")] if len(series) == 1 else series
    better = next(r.better for one in measures for r in one.results if r.metric.partition(".")[0] == base)
    name = NAMES.get(base, base.replace("_", " "))
    title = name if better == "neither" else f"{name} ({better} is better)"
    chart = Chart(
        title=f"{name} over the run",
        x_title=KIMG,
        y_title=title,
        series=series,
        bands=stages,
        log_y=spans_decades(series),
    )
    dotted = "The dotted line is the real-against-real floor; bars" if any(s.reference for s in series) else "Bars"
    return chart, f"{dotted} are one standard error. {protocol}"


def _usual_protocol(base: str, measures: Sequence[Measurement]) -> str:
    """The protocol with the most points; of equals, the one used last."""
    used = [r.protocol for one in measures for r in one.results if r.metric.partition(".")[0] == base]
    counts = Counter(used)
    return max(reversed(counts), key=lambda protocol: counts[protocol])


def _metric_series(
    metric: str,
    base: str,
    rows: Sequence[tuple[float, float, float]],
    floors: Mapping[str, tuple[float, float | None]],
) -> Series:
    kimg, value, error = np.array(sorted(rows), float).T
    part = metric.partition(".")[2]
    whole = metric == base
    name = ("average" if whole else f"{part} px" if part.isdigit() else part) if part or whole else metric_name(metric)
    return Series(
        name=name,
        x=kimg,
        y=value,
        error=error,
        marks=True,
        strong=whole,
        reference=floors.get(metric) if whole else None,
    )


def spans_decades(series: Sequence[Series]) -> bool:
    """Whether a logarithmic axis serves: all values positive, the greatest more than 8 times the least."""
    values = np.concatenate([np.asarray(one.y, float) for one in series])
    finite = values[np.isfinite(values)]
    return finite.size > 0 and bool(finite.min() > 0 and finite.max() > 8 * finite.min())


def pace_chart(pace: Mapping[str, np.ndarray], stages: Sequence[Band]) -> Chart | None:
    """Images per second over the run; None with fewer than two reports."""
    speed = pace.get("images_per_second")
    if speed is None or np.count_nonzero(np.isfinite(speed)) < 2:
        return None
    series = [Series(name="", x=pace["kimg"], y=speed, strong=True)]
    return Chart(
        title="Pace",
        x_title=KIMG,
        y_title="images per second",
        series=series,
        bands=stages,
        log_y=spans_decades(series),
    )
