"""Questions of the screens that are read: Measure, Dissect and Compare, as pieces of a page."""

import shlex
from dataclasses import replace
from typing import Any

from ganvas.app.questions import Given, Question, listed, text
from ganvas.app.studio import Studio
from ganvas.app.views.dissection_view import dissection_view
from ganvas.app.worker import LoadedModels
from ganvas.core.errors import UserError
from ganvas.report.web import page, run_reader
from ganvas.report.web.chart_figure import chart_figure
from ganvas.report.web.page import element
from ganvas.report.web.run_curves import metric_charts
from ganvas.report.web.run_numbers import numbers
from ganvas.report.web.run_page import NARROW, WIDE

MOST_COMPARED = 12


def show_measures(studio: Studio, given: Given) -> dict[str, Any]:
    """What was measured of a run, beside what real pictures score, and over its course."""
    run = studio.shelf.run(text(given, "run"))
    shown = run_reader.read_numbers(run.path)
    if not shown.measures:
        told = page.note("Nothing has been measured yet. This measures the newest model:")
        return {"html": page.join(told, page.command(f"ganvas measure {shlex.quote(str(run.path))}"))}
    charts = [
        chart_figure(chart, WIDE, NARROW, caption) for chart, caption in metric_charts(shown.measures, shown.stages)
    ]
    spec = shown.data.get("spec")
    table = numbers(shown.measures, data=spec if isinstance(spec, str) else "")
    course = page.section("Over the run", element("div", *charts, class_="charts")) if charts else None
    return {"html": page.join(table, course)}


def show_dissection(studio: Studio, given: Given) -> dict[str, Any]:
    """What units of a run draw, beside the twins, and what goes without them."""
    return {"html": dissection_view(studio.shelf.run(text(given, "run")))}


def show_comparison(studio: Studio, given: Given) -> dict[str, Any]:
    """Runs side by side, as ``ganvas compare`` shows them."""
    names = [text({"run": name}, "run") for name in listed(given, "runs", most=MOST_COMPARED)]
    if len(names) < 2:
        raise UserError("A comparison takes two runs or more. Mark them in the list of runs.")
    paths = tuple(str(studio.shelf.run(name).path) for name in names)

    def work(models: LoadedModels) -> str:
        from ganvas.report.web.comparison import comparison_page
        from ganvas.tasks.comparing.compare import Compare, compared

        found = compared(Compare(runs=paths, quiet=True, device="cpu"))
        return comparison_page.body(replace(found, command=["ganvas", "compare", *paths]))

    return {"html": studio.worker.ask(f"{text(given, 'tab')} compare", work)}


READING_QUESTIONS = (
    Question(path="measures", answer=show_measures),
    Question(path="dissection", answer=show_dissection),
    Question(path="comparison", answer=show_comparison, method="POST"),
)
