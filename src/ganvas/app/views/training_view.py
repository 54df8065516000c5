"""Training screen: curves, health and numbers of a run as pieces of a page, made of what its folder says now."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.app.run_status import status_now
from ganvas.app.views.sheet_views import endings_of, moments_of
from ganvas.core.number_text import number
from ganvas.core.progress import duration
from ganvas.core.run_folder import RunFolder
from ganvas.report.web import page, run_page, run_reader
from ganvas.report.web.chart import Chart
from ganvas.report.web.chart_figure import chart_figure
from ganvas.report.web.page import Html, element
from ganvas.report.web.run_curves import loss_charts, metric_charts, pace_chart
from ganvas.report.web.run_health import health_charts
from ganvas.report.web.run_page import NARROW, WIDE, RunPage

SMOOTHEST = 0.2  # Part of a run that a running median may span.


def training_view(run: RunFolder, *, log: bool, smooth: float) -> dict[str, Any]:
    """Facts, notes and charts of a run.

    Args:
        log: Draw on logarithmic axes what is positive everywhere.
        smooth: Part of the run that running medians of the losses span, drawn over the values; 0 for none.

    Raises:
        UserError: the folder is no run, or not any more.
    """
    shown = run_reader.read_numbers(run.path)
    is_trained = run.trainer is not None
    return {
        "name": shown.name,
        "model": shown.model,
        "status": status_now(run, shown.status),
        "training": is_trained,
        "kimg": shown.kimg,
        "facts": page.facts([*_facts(shown), ("Time left", _left(shown) if is_trained else None)]),
        "troubles": _troubles(shown, run.path),
        "charts": _charts(shown, log=log, smooth=min(max(smooth, 0.0), SMOOTHEST)),
        "sheets": moments_of(run),
        "pictures": bool(run.sheets()),
        "others": bool(endings_of(run)),
    }


def _facts(run: RunPage) -> list[tuple[str, page.Content]]:
    total = run.plan.get("total_kimg")
    of = f" of {number(total)}" if isinstance(total, int | float) else ""
    data = run.data.get("spec")
    return [
        ("Shown", f"{number(run.kimg)}{of} kimg"),
        ("Data", data if isinstance(data, str) else None),
        ("Preset", run.preset),
        ("Trained for", duration(run.cost["seconds"]) if run.cost.get("seconds") else None),
        ("Started", run_page.moment(run.started) if run.started else None),
    ]


def _left(run: RunPage) -> str | None:
    """At the pace of the last report."""
    total, speed = run.plan.get("total_kimg"), run.pace.get("images_per_second", np.zeros(0))
    known = speed[np.isfinite(speed)]
    if not isinstance(total, int | float) or not known.size or not known[-1] > 0:
        return None
    return duration(max(total - run.kimg, 0) * 1000 / float(known[-1]))


def _troubles(run: RunPage, path: Path) -> Html:
    told = [f"{text}. {advice}" for text, advice in run.findings]
    told += run_page.troubles(run)
    if not told and len(run.health.get("kimg", ())):
        return page.note("Health: nothing was found at the last check-up.")
    return page.join(*(element("p", text, class_="note warn") for text in (*told, *run.notes)))


def _charts(run: RunPage, *, log: bool, smooth: float) -> Html:
    losses = [(_smoothed(chart, smooth), None) for chart in loss_charts(run.log, run.stages)]
    quality: Sequence[tuple[Chart, str | None]] = metric_charts(run.measures, run.stages)
    signs: Sequence[tuple[Chart, str | None]] = health_charts(run.health, run.log, run.stages)
    pace = pace_chart(run.pace, run.stages)
    drawn = [*quality, *losses, *signs, *([(pace, None)] if pace else [])]
    if not drawn:
        return page.note("There are no curves yet: the run has reported less than twice.")
    figures = [chart_figure(_on(chart, log=log), WIDE, NARROW, caption, cursor=True) for chart, caption in drawn]
    return element("div", *figures, class_="charts")


def _smoothed(chart: Chart, part: float) -> Chart:
    """With running medians over this part of the run."""
    windows = [round(len(curve.x) * part) // 2 * 2 + 1 for curve in chart.curves]
    return replace(chart, curves=[replace(c, window=w) for c, w in zip(chart.curves, windows, strict=True)])


def _on(chart: Chart, *, log: bool) -> Chart:
    """On a logarithmic axis where that was asked for and every value has a place there."""
    values = np.concatenate([np.asarray(curve.y, np.float64) for curve in chart.curves])
    positive = bool((values[np.isfinite(values)] > 0).all())
    return replace(chart, axes=replace(chart.axes, log_y=log and positive, y_range=None if log else chart.axes.y_range))
