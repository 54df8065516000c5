"""What was measured, as a table: each value beside what real pictures score against real pictures."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ganvas.core.results import Result
from ganvas.report.drawing.axis import Scale, minus, number
from ganvas.report.drawing.whiskers import Measured, shared_scale, whiskers
from ganvas.report.web import page
from ganvas.report.web.page import Html, element

NAMES = {"swd": "SWD", "ms_ssim": "MS-SSIM", "fid": "FID", "kid": "KID"}
ARROWS = {"lower": "lower is better", "higher": "higher is better", "neither": "nearest to the floor is best"}


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One line of measures.jsonl: results at a moment of the run, and their floor."""

    kimg: float
    when: str
    source: str  # "training" or "measure".
    results: Sequence[Result]
    floor: Sequence[Result] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A metric under one protocol: its first and its last value."""

    first: tuple[float, Result]  # kimg, result
    last: tuple[float, Result]
    floor: Result | None


def metric_name(metric: str) -> str:
    """
    >>> metric_name("swd"), metric_name("swd.16"), metric_name("ms_ssim"), metric_name("my_own.high")
    ('SWD', 'SWD at 16 px', 'MS-SSIM', 'my own, high')
    """
    base, _, part = metric.partition(".")
    name = NAMES.get(base, base.replace("_", " "))
    return f"{name} at {part} px" if part.isdigit() else f"{name}, {part}" if part else name


def with_error(result: Result | None) -> str:
    """Value and standard error to the error's second digit, ``12.35 ± 0.21``; a dash when there is no value."""
    if result is None:
        return "–"
    error = result.standard_error
    if not error or not 1e-6 < error < 1 or not math.isfinite(result.value):
        return number(result.value) + (f" ± {number(error, digits=2)}" if error is not None else "")
    decimals = 1 - math.floor(math.log10(error))
    return f"{minus(f'{result.value:,.{decimals}f}')} ± {error:.{decimals}f}"


def headline(measures: Sequence[Measurement]) -> list[tuple[str, str]]:
    """The undivided metrics of the newest measurement, for the top of the page."""
    pairs = []
    for measurement in measures[-1:]:
        floors = {(result.metric, result.protocol): result for result in measurement.floor}
        for result in measurement.results:
            if "." not in result.metric:
                floor = floors.get((result.metric, result.protocol))
                held = f"; real against real {number(floor.value, digits=3)}" if floor else ""
                pairs.append((f"{metric_name(result.metric)}{held}", number(result.value, digits=3)))
    return pairs[:3]


def rows_by_protocol(measures: Sequence[Measurement]) -> dict[str, list[Row]]:
    """First and last value of every metric, by protocol; those of the newest measurement stand first."""
    rows: dict[str, dict[str, Row]] = {}
    for measurement in measures:
        floors = {(result.metric, result.protocol): result for result in measurement.floor}
        for result in measurement.results:
            same = rows.setdefault(result.protocol, {})
            now, old = (measurement.kimg, result), same.get(result.metric)
            floor = floors.get((result.metric, result.protocol), old.floor if old else None)
            same[result.metric] = Row(first=old.first if old else now, last=now, floor=floor)
    newest = dict.fromkeys(result.protocol for one in reversed(measures) for result in one.results)
    return {protocol: list(rows[protocol].values()) for protocol in newest}


def numbers(measures: Sequence[Measurement]) -> Html:
    """The table, a heading row per protocol."""
    groups = rows_by_protocol(measures)
    header = ["Metric", "Value", "Real against real", "Ratio", "First value", element("span", "Value ● and floor ○")]
    rows = [row for protocol, group in groups.items() for row in _group(protocol, group)]
    ratio = "The ratio is the value over its floor: 1 is as good as real. " if _has_ratio(groups) else None
    return page.join(
        page.table(header, rows),
        page.note(
            "Real against real is the floor: the same measurement between two disjoint sets of real pictures, what a "
            "perfect generator would score. ",
            ratio,
            "± is one standard error; the bars reach two.",
        ),
    )


def _group(protocol: str, group: Sequence[Row]) -> Iterator[Sequence[page.Content] | Html]:
    shown = [_measured(row.last[1]) for row in group] + [_measured(row.floor) for row in group if row.floor]
    scale = shared_scale(shown)
    sizes = sorted({row.last[1].n for row in group})
    about = f"n = {', '.join(f'{n:,}' for n in sizes)}, {_method(group)}, at {number(group[0].last[0])} kimg"
    text = element("small", about, element("br"), page.code(protocol or "no protocol given"))
    yield element("tr", element("td", text, colspan=6, class_="protocol"))
    for row in group:
        yield _cells(row, scale)


def _cells(row: Row, scale: Scale) -> Sequence[page.Content]:
    kimg, last = row.last
    floor = _measured(row.floor) if row.floor else None
    name = element("span", metric_name(last.metric), " ", element("small", ARROWS[last.better]), title=last.metric)
    earlier = row.first[0] < kimg
    ratio = last.value / row.floor.value if row.floor and row.floor.value > 0 and last.better == "lower" else None
    return [
        name,
        element("b", with_error(last)),
        with_error(row.floor),
        "–" if ratio is None else f"{ratio:.2f}",
        element("span", with_error(row.first[1]), element("small", f" at {number(row.first[0])} kimg"))
        if earlier
        else "–",
        Html(whiskers(_measured(last), floor, scale=scale)),
    ]


def _measured(result: Result) -> Measured:
    return Measured(value=result.value, error=result.standard_error)


def _method(group: Sequence[Row]) -> str:
    methods = list(dict.fromkeys(row.last[1].error_method for row in group if row.last[1].error_method))
    return f"standard error by {'; '.join(methods)}" if methods else "no error given"


def _has_ratio(groups: dict[str, list[Row]]) -> bool:
    return any(row.floor and row.last[1].better == "lower" for group in groups.values() for row in group)
