"""The page of a comparison: a row a model, never one score; curves on common axes; sheets; what was set unlike."""

import shlex
from collections.abc import Sequence

from ganvas.core.number_text import number, with_error
from ganvas.report.drawing.axis import Scale
from ganvas.report.drawing.whiskers import Measured, shared_scale, whiskers
from ganvas.report.web import page
from ganvas.report.web.chart import Chart, inline, svg
from ganvas.report.web.chart_figure import chart_figure
from ganvas.report.web.comparison.compared import Compared, Comparison
from ganvas.report.web.comparison.comparison_columns import SECTIONS, Cell, ComparisonColumn, columns
from ganvas.report.web.comparison.comparison_curves import metric_rows, trade_offs, turned_rows
from ganvas.report.web.comparison.like_with_like import Like, Sorted, sorted_values
from ganvas.report.web.comparison.settings_apart import ComparedSetting, settings_of
from ganvas.report.web.page import Html, element
from ganvas.report.web.run_numbers import metric_name

WIDE, NARROW = (370, 260), (370, 260)
SQUARE = (480, 420)
LONGEST = 20  # Letters of a fingerprint that are shown.


def html(comparison: Comparison) -> str:
    """The page as text."""
    return page.document(f"Comparison of {', '.join(model.name for model in comparison.models)}", body(comparison))


def body(comparison: Comparison) -> Html:
    """What the page shows, for a page of one's own."""
    found = sorted_values(comparison.models)
    told = columns(comparison.models, found)
    return page.join(
        _header(comparison),
        _sheets(comparison),
        *(_section(title, comparison.models, told) for title in SECTIONS),
        _unlike(found),
        _curves(comparison, found),
        _trade_offs(comparison),
        _settings(comparison.models),
        _again(comparison),
    )


def _header(comparison: Comparison) -> Html:
    models = ", ".join(f"{one.name} ({one.run.model})" for one in comparison.models)
    notes = [element("p", text, class_="note warn") for text in comparison.notes]
    notes += [
        element("p", f"{model.name}: {text}", class_="note warn") for model in comparison.models for text in model.notes
    ]
    return element("header", element("h1", f"{len(comparison.models)} models compared"), element("p", models), *notes)


def _sheets(comparison: Comparison) -> Html | None:
    drawn = [(one, one.sheet) for one in comparison.models if one.sheet is not None]
    if not drawn:
        return None
    shown = [_sheet(sheet, f"{one.name}: {one.run.model} at {number(one.kimg)} kimg") for one, sheet in drawn]
    reals = [_sheet(comparison.reals, "Real pictures")] if comparison.reals is not None else []
    told = page.note(f"Every model draws its first pictures of seed {comparison.seed}; none was chosen.")
    return page.section("Pictures", told, element("div", *shown, *reals, class_="hero"))


def _sheet(image: bytes, caption: str) -> Html:
    return page.figure(page.picture(image, caption), caption)


def _section(title: str, models: Sequence[Compared], told: Sequence[ComparisonColumn]) -> Html | None:
    """One table, a row a model; nothing where no model has anything to be told."""
    shown = [column for column in told if column.section == title]
    if not shown:
        return None
    scales = [_scale(column) for column in shown]
    header = ["Model", *(column.title for column in shown)]
    rows: list[Sequence[page.Content]] = []
    for at, model in enumerate(models):
        cells = [_cell(column, column.cells[at], scale) for column, scale in zip(shown, scales, strict=True)]
        rows.append([element("b", model.name), *cells])
    if any(column.floor for column in shown):
        floors = [_floor(column) for column in shown]
        rows.append([element("span", "Reals against reals", class_="soft"), *floors])
    abouts = [f"{', '.join(titles)}: {about}. " for about, titles in _by_about(shown).items()]
    protocols = [page.join(f"{column.title}: ", page.code(column.protocol)) for column in shown if column.protocol]
    how = page.details("How it was measured", *(element("p", one) for one in protocols)) if protocols else None
    return page.section(title, page.table(header, rows), page.note(*abouts) if abouts else None, how)


def _by_about(shown: Sequence[ComparisonColumn]) -> dict[str, list[str]]:
    """Titles of the columns of which the same is to be said."""
    found: dict[str, list[str]] = {}
    for column in shown:
        if column.about:
            found.setdefault(column.about, []).append(column.title)
    return found


def _scale(column: ComparisonColumn) -> Scale | None:
    """One scale for the dots of a column that has errors; others need none."""
    shown = [Measured(value=cell.value, error=cell.error) for cell in column.cells if cell and cell.value is not None]
    if not any(one.error for one in shown):
        return None
    return shared_scale(shown + ([_measured(column)] if column.floor else []))


def _measured(column: ComparisonColumn) -> Measured:
    assert column.floor is not None
    return Measured(value=column.floor.value, error=column.floor.standard_error)


def _cell(column: ComparisonColumn, cell: Cell | None, scale: Scale | None) -> page.Content:
    if cell is None:
        return "–"
    small = element("small", " ", cell.small) if cell.small else None
    if scale is None or cell.value is None:
        return element("span", cell.text, small)
    floor = _measured(column) if column.floor else None
    drawn = Html(inline(whiskers(Measured(value=cell.value, error=cell.error), floor, scale=scale)))
    return element("div", element("span", cell.text), small, drawn)


def _floor(column: ComparisonColumn) -> page.Content:
    return "–" if column.floor is None else with_error(column.floor.value, column.floor.standard_error)


def _unlike(found: Sorted) -> Html | None:
    """What was measured in a way that no other run shares."""
    if not found.unlike:
        return None
    rows = [row for like in found.unlike for row in _unlike_rows(like)]
    return page.section(
        "Measured in other ways",
        page.note(
            "These values were measured in ways that the runs do not share, so they do not compare and stand in no "
            "table above. ",
            page.code("ganvas compare ... --data SRC"),
            " measures all runs in one way.",
        ),
        page.details(f"Show them ({len(rows)})", page.table(["Model", "Metric", "Value", "At kimg", "Protocol"], rows)),
    )


def _unlike_rows(like: Like) -> list[Sequence[page.Content]]:
    return [
        [
            name,
            metric_name(like.metric, like.protocol),
            with_error(value.result.value, value.result.standard_error),
            number(value.kimg),
            element("span", page.code(value.result.protocol), class_="protocol"),
        ]
        for name, value in like.values.items()
    ]


def _curves(comparison: Comparison, found: Sorted) -> Html | None:
    rows = metric_rows(comparison.models, found.every)
    if not rows:
        return None
    shown = [
        page.join(element("div", *(_drawn(chart) for chart in charts), class_="charts thirds"), page.note(caption))
        for caption, charts in rows
    ]
    return page.section("Quality for images, time and arithmetic", *shown)


def _drawn(chart: Chart) -> Html:
    return chart_figure(chart, WIDE, NARROW)


def _trade_offs(comparison: Comparison) -> Html | None:
    chart = trade_offs(comparison)
    if chart is None:
        return None
    wide, narrow = (svg(chart, width=width, height=height) for width, height in (SQUARE, NARROW))
    rows = turned_rows(comparison)
    header = ["Model", "Dial", "Precision", "Recall", "Milliseconds a picture"]
    return page.section(
        "Precision against recall",
        page.note(
            "Each curve is one model with one dial turned: a GAN's truncation or the temperature of its latents, the "
            "temperature of a likelihood model, guidance or steps of a diffusion. Up is typical, right is varied."
        ),
        element("div", page.figure(page.chart(wide, narrow), comparison.turned_protocol), class_="charts"),
        page.details("The points", page.table(header, rows, text_columns=2)),
    )


def _settings(models: Sequence[Compared]) -> Html:
    every = settings_of(models)
    apart, alike = [one for one in every if one.apart], [one for one in every if not one.apart]
    header = ["Setting", *(model.name for model in models)]
    return page.section(
        "What was set unlike",
        page.table(header, [_setting(one) for one in apart]),
        page.details(
            f"Alike in all ({len(alike)})", page.facts([(f"{one.part}: {one.name}", one.values[0]) for one in alike])
        ),
    )


def _setting(setting: ComparedSetting) -> Sequence[page.Content]:
    name = page.join(setting.name, element("small", f" {setting.part}"))
    return [name, *(element("span", _short(value), title=value) for value in setting.values)]


def _short(value: str) -> str:
    return f"{value[:LONGEST]}…" if value.startswith("sha256:") and len(value) > LONGEST else value


def _again(comparison: Comparison) -> Html | None:
    if not comparison.command:
        return None
    return page.section("How it was made", page.command(shlex.join(comparison.command)))
