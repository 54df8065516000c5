"""The page of a search: the best of k settings, what each range has to say, and every setting that was tried."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.core.number_text import number, with_error
from ganvas.core.progress import duration
from ganvas.report.drawing.palette import BLUE, INK
from ganvas.report.drawing.panels import Axes, Curve
from ganvas.report.web import page
from ganvas.report.web.chart import Chart, svg
from ganvas.report.web.chart_figure import chart_figure
from ganvas.report.web.page import Html, element
from ganvas.report.web.run_curves import SIZE, spans_decades
from ganvas.report.web.run_numbers import metric_name

WIDE, NARROW = (560, 300), (370, 260)
SMALL = (370, 240)


@dataclass(frozen=True, kw_only=True)
class TriedSetting:
    """One setting that was tried."""

    index: int
    changes: Mapping[str, Any]
    status: str
    value: float | None
    standard_error: float | None
    seconds: float
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class WithSeeds:
    """What the best setting scores with seeds that it was not chosen by."""

    index: int
    seeds: int
    diverged: int  # Of the seeds.
    mean: float
    deviation: float  # Over seeds.
    low: float  # The interval of the mean: 95 %, by bootstrap.
    high: float

    def __str__(self) -> str:
        said = (
            f"setting {self.index:03d} with {self.seeds} other seeds: mean {number(self.mean)} "
            f"(95 %: {number(self.low)} to {number(self.high)}), deviation {number(self.deviation)}"
        )
        return f"{said}; {self.diverged} diverged" if self.diverged else said


@dataclass(frozen=True, kw_only=True)
class SearchPage:
    """Everything that the page shows."""

    model: str
    data: str
    metric: str
    lower_is_better: bool
    random: bool  # Settings were drawn without regard to one another: the curve is of searches like this one.
    ranges: Mapping[str, str]
    rows: Sequence[TriedSetting]
    expected: Sequence[float]  # The expected best of k = 1, 2, ... settings.
    low: Sequence[float]
    high: Sequence[float]
    settings: int
    command: str  # That trains the best again.
    with_seeds: WithSeeds | None = None

    def sorted_rows(self) -> list[TriedSetting]:
        """The best first, those without a value last."""
        sign = 1 if self.lower_is_better else -1
        return sorted(self.rows, key=lambda row: (row.value is None, sign * (row.value or 0.0), row.index))


def html(found: SearchPage) -> str:
    """The page as text."""
    done = f"{len(found.rows)} of {found.settings} settings"
    header = element("header", element("h1", f"Search: {found.model}"), element("p", f"{found.data} · {done}"))
    best = page.section(
        "The best setting",
        page.command(found.command),
        page.note(
            "Trained again for longer, or with other seeds, its value will be another: the best of many is lucky.",
            "" if found.with_seeds is None else f" {str(found.with_seeds).capitalize()}.",
        ),
    )
    return page.document(
        f"Search: {found.model}",
        header,
        best if found.command else None,
        _curve(found),
        _ranges(found),
        _table(found),
    )


def _curve(found: SearchPage) -> Html | None:
    if len(found.expected) < 2:
        return None
    chart = best_of_k(found)
    wide, narrow = (svg(chart, width=width, height=height) for width, height in (WIDE, NARROW))
    told = (
        "The strong line is the mean of the best over all subsets of k of the settings that were tried; the thin lines "
        "hold 95 % of it when settings are drawn anew from them (bootstrap, 1,000 times). A setting that diverged or "
        "was refused counts as the net before its first step. The dotted line is the default setting."
    )
    warned = "" if found.random else " Settings were chosen by an optimiser, so subsets of them are no random searches."
    drawn = element("div", page.figure(page.chart(wide, narrow)), class_="charts")
    return page.section("The best of k settings", drawn, page.note(told, warned))


def best_of_k(found: SearchPage) -> Chart:
    """The expected best over the number of settings, with its interval."""
    k = list(range(1, len(found.expected) + 1))
    default = next((row.value for row in found.rows if row.index == 0), None)
    curves = [
        Curve(x=k, y=found.low, colour=BLUE, dash=(), stroke_width=0.7),
        Curve(x=k, y=found.high, colour=BLUE, dash=(), stroke_width=0.7),
        Curve(
            x=k,
            y=found.expected,
            colour=BLUE,
            dash=(),
            stroke_width=2.0,
            level=None if default is None else (default, None),
        ),
    ]
    axes = Axes(x_title="k, settings tried", y_title=_title(found), size=SIZE, log_y=spans_decades(curves), whole=True)
    return Chart(title="Best of k settings", curves=curves, axes=axes)


def _title(found: SearchPage) -> str:
    return f"{metric_name(found.metric)} ({'lower' if found.lower_is_better else 'higher'} is better)"


def _ranges(found: SearchPage) -> Html | None:
    charts = [chart for name, text in found.ranges.items() if (chart := _over_range(found, name, text))]
    drawn = [_drawn(chart) for chart in charts]
    facts = page.facts([(name, text) for name, text in found.ranges.items()])
    return page.section("What was varied", facts, element("div", *drawn, class_="charts thirds") if drawn else None)


def _drawn(chart: Chart) -> Html:
    return chart_figure(chart, SMALL, SMALL)


def _over_range(found: SearchPage, name: str, text: str) -> Chart | None:
    """Values over one setting, for settings that are numbers."""
    points = [
        (float(row.changes[name]), row.value)
        for row in found.rows
        if row.value is not None and isinstance(row.changes.get(name), int | float)
    ]
    if len(points) < 2:
        return None
    curve = Curve(
        x=[x for x, _ in points], y=[y for _, y in points], joined=False, marks=True, colour=INK, stroke_width=3.0
    )
    log_y = spans_decades([curve])
    axes = Axes(x_title=name, y_title=_title(found), size=SIZE, log_x=text.endswith(":log"), log_y=log_y)
    return Chart(title=f"Over {name}", curves=[curve], axes=axes)


def _table(found: SearchPage) -> Html:
    header = ["Setting", _title(found), "Time", *found.ranges]
    rows: list[Sequence[page.Content]] = []
    for row in found.sorted_rows():
        value = with_error(row.value, row.standard_error) if row.value is not None else row.status
        shown = element("span", value, title=row.cause) if row.cause else value
        rows.append([_name(row), shown, duration(row.seconds) if row.seconds else "–", *_settings(found, row)])
    return page.section("Every setting", page.table(header, rows))


def _name(row: TriedSetting) -> str:
    return f"{row.index:03d}{', the default' if not row.changes else ''}"


def _settings(found: SearchPage, row: TriedSetting) -> list[str]:
    shown = [row.changes.get(name) for name in found.ranges]
    return [
        "default" if value is None else number(value, digits=3) if isinstance(value, float) else str(value)
        for value in shown
    ]


def text(found: SearchPage) -> str:
    """Every setting, best first, and the best of k, for a terminal."""
    rows = [["setting", found.metric, *found.ranges]]
    for row in found.sorted_rows():
        value = with_error(row.value, row.standard_error) if row.value is not None else row.status
        rows.append([_name(row), value, *_settings(found, row)])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for k in sorted({k for k in (1, 2, 4, 8, 16, 32, 64, len(found.expected)) if 0 < k <= len(found.expected)}):
        low, high, mean = found.low[k - 1], found.high[k - 1], found.expected[k - 1]
        lines.append(f"best of {k}: {number(mean)} (95 %: {number(low)} to {number(high)})")
    lines += [] if found.with_seeds is None else [str(found.with_seeds)]
    return "\n".join([*lines, *([found.command] if found.command else [])]) + "\n"


def as_csv(found: SearchPage) -> str:
    """One row a setting, in the order in which they were tried."""
    memory = io.StringIO()
    writer = csv.writer(memory, lineterminator="\n")
    writer.writerow(["setting", "status", found.metric, "standard_error", "seconds", *found.ranges])
    for row in found.rows:
        given = ["" if row.changes.get(name) is None else row.changes[name] for name in found.ranges]
        value = "" if row.value is None else row.value
        error = "" if row.standard_error is None else row.standard_error
        writer.writerow([row.index, row.status, value, error, row.seconds, *given])
    return memory.getvalue()
