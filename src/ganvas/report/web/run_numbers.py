"""The table of what was measured: each value beside what real pictures score against real pictures."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ganvas.core.number_text import number, with_error
from ganvas.core.results import Result
from ganvas.report.drawing.axis import Scale
from ganvas.report.drawing.whiskers import Measured, shared_scale, whiskers
from ganvas.report.web import page
from ganvas.report.web.chart import inline
from ganvas.report.web.page import Html, element

NAMES = {
    "ais": "Log-likelihood (AIS)",
    "ap": "Average precision",
    "ap50": "Average precision at half overlap",
    "auth_pct": "AuthPct",
    "cmmd": "CMMD",
    "density_coverage": "Density and coverage",
    "fd_dinov2": "FD-DINOv2",
    "fid": "FID",
    "fid_infinity": "FID∞",
    "fld": "FLD",
    "geometry_score": "Geometry Score",
    "inception_score": "Inception Score",
    "kid": "KID",
    "label_accuracy": "Label accuracy",
    "lpips": "LPIPS",
    "mind": "MIND",
    "miss_rate": "Log-average miss rate",
    "ms_ssim": "MS-SSIM",
    "polygons": "Precision and recall on triangles",
    "prd": "PRD",
    "precision_recall": "Precision and recall",
    "psnr": "PSNR",
    "segmentation_distance": "Segmentation distance",
    "stacked_modes": "Modes of stacked pictures",
    "sfid": "sFID",
    "skill": "Skill rating",
    "ssim": "SSIM",
    "swd": "SWD",
    "vendi": "Vendi Score",
}
PARTS = {"f8": "F8", "f1_8": "F1/8", "bits_per_dim": "bits per dimension"}
YARDSTICKS = {  # What bits per dimension are held against: codes that need no network.
    "bits_per_dimension.gaussian": "A Gaussian fitted on the training pictures",
    "bits_per_dimension.histogram": "Histograms of their pixels",
    "bits_per_dimension.png": "PNG files",
    "bits_per_dimension.webp": "Lossless WebP files",
}
ARROWS = {"lower": "lower is better", "higher": "higher is better", "neither": "nearest to the floor is best"}
ERRORS_APART = 2.0  # Standard errors of a difference below which it may be chance.


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One line of measures.jsonl: results at a moment of the run, and their floor."""

    kimg: float
    when: str
    source: str  # "training" or the verb that measured.
    results: Sequence[Result]
    floor: Sequence[Result] = ()
    against: str = ""  # The real pictures, as they were given.
    own: bool = True  # They are those that the run learnt from.

    @property
    def shown(self) -> list[Result]:
        """The results of the generated pictures; those named ``.real`` are what real ones score alone."""
        return [result for result in self.results if not result.metric.endswith(".real")]

    @property
    def floors(self) -> Mapping[tuple[str, str], Result]:
        """What real pictures score, by metric and protocol: a second draw of them, or else the reals themselves."""
        alone = {
            (one.metric.removesuffix(".real"), one.protocol): one
            for one in self.results
            if one.metric.endswith(".real")
        }
        return alone | {(one.metric, one.protocol): one for one in self.floor}


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """A metric under one protocol: its first and its last value."""

    first: tuple[float, Result]  # kimg, result
    last: tuple[float, Result]
    floor: Result | None

    @property
    def apart(self) -> bool:
        """Whether value and floor differ by more than their errors explain; errors that are unknown count as none."""
        if self.floor is None:
            return True
        value = self.last[1]
        error = math.hypot(value.standard_error or 0.0, self.floor.standard_error or 0.0)
        return not abs(value.value - self.floor.value) <= ERRORS_APART * error

    @property
    def ratio(self) -> str:
        """The value over its floor where that says something."""
        value = self.last[1]
        if self.floor is None or self.floor.value <= 0 or value.better != "lower":
            return "–"
        return f"{value.value / self.floor.value:.2f}" if self.apart else "within the errors"


@dataclass(frozen=True, kw_only=True)
class MetricGroup:
    """The metrics that were measured in one way, against one set of reals."""

    protocol: str
    against: str
    own: bool
    rows: Sequence[MetricRow]

    @property
    def kimg(self) -> float:
        return max(row.last[0] for row in self.rows)


def metric_name(metric: str, protocol: str = "") -> str:
    """A metric as its paper writes it, with the network that it looks through.

    >>> metric_name("swd.16"), metric_name("my_own.high"), metric_name("fid", "fid:n64:untrained@1a2b3c4d:bicubic")
    ('SWD at 16 px', 'My own, high', 'FID (untrained)')
    """
    base, _, part = metric.partition(".")
    name = NAMES.get(base, base[:1].upper() + base[1:].replace("_", " "))
    network = next((word.partition("@")[0] for word in protocol.split(":") if "@" in word), "")
    name += f" ({network})" if network else ""
    part = PARTS.get(part, part.replace("_", " "))
    return f"{name} at {part} px" if part.isdigit() else f"{name}, {part}" if part else name


def headline(measures: Sequence[Measurement]) -> list[tuple[str, str]]:
    """Label and value of the undivided metrics that were last measured against the run's own data."""
    pairs = []
    for measurement in [one for one in measures if one.own and one.shown][-1:]:
        for row in _rows(measurement):
            result = row.last[1]
            if "." not in result.metric:
                name = f"{metric_name(result.metric, result.protocol)} at {number(row.last[0])} kimg, own data"
                held = f"; real against real {_written(row.floor)}" if row.floor else ""
                told = "" if row.apart else f"; not told apart at n = {result.n:,}"
                pairs.append((f"{name}{held}{told}", _written(result)))
    return pairs[:3]


def metric_groups(measures: Sequence[Measurement]) -> list[MetricGroup]:
    """First and last value of every metric, by protocol and reals; the run's own data first, then what is newer."""
    rows: dict[tuple[bool, str, str], dict[str, MetricRow]] = {}
    for measurement in measures:
        for row in _rows(measurement):
            metric, protocol = row.last[1].metric, row.last[1].protocol
            same = rows.setdefault((measurement.own, protocol, "" if measurement.own else measurement.against), {})
            old = same.get(metric)
            first, floor = (old.first, row.floor or old.floor) if old else (row.first, row.floor)
            same[metric] = MetricRow(first=first, last=row.last, floor=floor)
    newest_first = [
        MetricGroup(protocol=protocol, against=against, own=own, rows=list(found.values()))
        for (own, protocol, against), found in reversed(rows.items())
    ]
    return sorted(newest_first, key=lambda group: not group.own)


def _rows(measurement: Measurement) -> Iterator[MetricRow]:
    floors = measurement.floors
    for result in measurement.shown:
        now = (measurement.kimg, result)
        yield MetricRow(first=now, last=now, floor=floors.get((result.metric, result.protocol)))


def numbers(measures: Sequence[Measurement], *, data: str) -> Html:
    """The table, a heading row per protocol: what was measured at the newest moment, and the rest folded away.

    Args:
        data: What the run learnt from, as the user gave it.
    """
    groups = metric_groups(measures)
    newest = max((group.kimg for group in groups if math.isfinite(group.kimg)), default=math.nan)
    now = [group for group in groups if group.kimg == newest] or groups
    earlier = [group for group in groups if group not in now]
    folded = page.details(f"Measured in other ways at earlier moments ({len(earlier)})", _table(earlier, data))
    return page.join(
        _not_told_apart(now),
        _table(now, data),
        page.note(
            "Real against real is the floor: the same measurement between two disjoint sets of real pictures, what a "
            "perfect generator would score. "
            if any(row.floor for group in groups for row in group.rows)
            else None,
            "The ratio is the value over its floor: 1 is as good as real. " if _has_ratio(groups) else None,
            "± is one standard error; the bars reach two.",
        ),
        folded if earlier else None,
    )


def _not_told_apart(groups: Sequence[MetricGroup]) -> Html | None:
    rows = [row.last[1] for group in groups if group.own for row in group.rows if not row.apart]
    names = list(dict.fromkeys(metric_name(one.metric, one.protocol) for one in rows if "." not in one.metric))
    if not names:
        return None
    return page.note(
        f"With n = {max(one.n for one in rows):,} pictures, {' and '.join(names)} cannot tell the generated pictures "
        "from real ones: value and floor differ by less than two standard errors. More pictures narrow the errors."
    )


def _table(groups: Sequence[MetricGroup], data: str) -> Html:
    """Groups whose values have floors, then those without one, which need fewer columns."""
    with_floors = [group for group in groups if any(row.floor for row in group.rows)]
    without = [group for group in groups if group not in with_floors]
    header = ["Metric", "Value", "Real against real", "Ratio", "First value", "Value ● and floor ○"]
    short = ["Metric", "Value", "First value", "Value ●"]
    return page.join(
        page.table(header, [row for group in with_floors for row in _group(group, data)]) if with_floors else None,
        page.table(short, [row for group in without for row in _group(group, data, floors=False)]) if without else None,
    )


def _group(group: MetricGroup, data: str, *, floors: bool = True) -> Iterator[Sequence[page.Content] | Html]:
    values = [_measured(row.last[1]) for row in group.rows]
    scale = shared_scale(values + [_measured(row.floor) for row in group.rows if row.floor])
    sizes = sorted({row.last[1].n for row in group.rows})
    reals = f"the run's own data{f' ({data})' if data else ''}"
    against = f"against {reals if group.own else group.against or 'other pictures'}"
    if not group.own:
        against += ", which the run did not learn from"
    about = f"At {number(group.kimg)} kimg {against}; n = {', '.join(f'{n:,}' for n in sizes)}, {_method(group.rows)}"
    text = element("small", about, element("br"), page.code(group.protocol or "no protocol given"))
    yield element("tr", element("td", text, colspan=6 if floors else 4, class_="protocol"))
    for row in group.rows:
        yield _cells(row, scale, floors=floors)


def _cells(row: MetricRow, scale: Scale, *, floors: bool) -> Sequence[page.Content]:
    kimg, last = row.last
    name = YARDSTICKS.get(last.metric) or metric_name(last.metric, last.protocol)
    arrow = "needs no network" if last.metric in YARDSTICKS else ARROWS[last.better]
    first = element("span", _written(row.first[1]), element("small", f" at {number(row.first[0])} kimg"))
    return [
        element("span", name, " ", element("small", arrow), title=last.metric),
        element("b", _written(last)),
        *((_written(row.floor), row.ratio) if floors else ()),
        first if row.first[0] < kimg else "–",
        Html(inline(whiskers(_measured(last), _measured(row.floor) if row.floor else None, scale=scale))),
    ]


def _written(result: Result | None) -> str:
    """Value and standard error, ``8.4 ± 1.4``; a dash when there is no value."""
    return "–" if result is None else with_error(result.value, result.standard_error)


def _measured(result: Result) -> Measured:
    return Measured(value=result.value, error=result.standard_error)


def _method(rows: Sequence[MetricRow]) -> str:
    methods = list(dict.fromkeys(row.last[1].error_method for row in rows if row.last[1].error_method))
    return f"standard error by {'; '.join(methods)}" if methods else "no error given"


def _has_ratio(groups: Sequence[MetricGroup]) -> bool:
    return any(row.floor and row.last[1].better == "lower" for group in groups for row in group.rows)
