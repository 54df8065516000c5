"""A comparison as text for a terminal, as CSV with a row a model, and as plain values for JSON."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from ganvas.core.number_text import with_error
from ganvas.report.web.comparison.compared import Compared, Comparison
from ganvas.report.web.comparison.comparison_columns import SECTIONS, ComparisonColumn, columns
from ganvas.report.web.comparison.like_with_like import sorted_values
from ganvas.report.web.comparison.settings_apart import settings_of
from ganvas.report.web.run_numbers import metric_name


def text(comparison: Comparison) -> str:
    """The tables turned on their side, a column a model, so that many quantities fit a terminal; then what to know."""
    models, found = comparison.models, sorted_values(comparison.models)
    told = columns(models, found)
    floors = any(column.floor for column in told)
    rows = [["", *(model.name for model in models), *(["reals"] if floors else [])]]
    for section in SECTIONS:
        shown = [column for column in told if column.section == section]
        rows += [[section]] if shown else []
        rows += [_row(column, floors=floors) for column in shown]
    lines = _aligned(rows)
    for like in found.unlike:
        name = metric_name(like.metric, like.protocol)
        lines.append(f"Not compared: {name} of {', '.join(like.values)}, measured as {like.protocol}.")
    lines += list(comparison.notes) + [f"{model.name}: {note}" for model in models for note in model.notes]
    return "\n".join(lines) + "\n"


def _row(column: ComparisonColumn, *, floors: bool) -> list[str]:
    floor = with_error(column.floor.value, column.floor.standard_error) if column.floor else ""
    cells = [cell.text if cell else "–" for cell in column.cells]
    return [f"  {column.title}", *cells, *([floor] if floors else [])]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    width = max(len(row) for row in rows)
    widths = [max((len(row[at]) for row in rows if at < len(row) and len(row) > 1), default=0) for at in range(width)]
    lines = []
    for row in rows:
        first, *others = row
        padded = [first.ljust(widths[0]), *(cell.rjust(widths[at + 1]) for at, cell in enumerate(others))]
        lines.append("  ".join(padded).rstrip())
    return lines


def as_csv(comparison: Comparison) -> str:
    """One row a model: of a column with numbers the value, and its standard error in a column of its own."""
    told = columns(comparison.models, sorted_values(comparison.models))
    header = ["name", "model", "kimg"]
    for column in told:
        header += [column.key] + ([f"{column.key}.standard_error"] if _has_errors(column) else [])
    memory = io.StringIO()
    writer = csv.writer(memory, lineterminator="\n")
    writer.writerow(header)
    for at, model in enumerate(comparison.models):
        row: list[Any] = [model.name, model.run.model, "" if model.kimg is None else model.kimg]
        for column in told:
            cell = column.cells[at]
            row.append("" if cell is None else cell.text if cell.value is None else cell.value)
            row += [cell.error if cell and cell.error is not None else ""] if _has_errors(column) else []
        writer.writerow(row)
    return memory.getvalue()


def _has_errors(column: ComparisonColumn) -> bool:
    return any(cell and cell.error is not None for cell in column.cells)


def as_plain(comparison: Comparison) -> dict[str, Any]:
    """Everything but the pictures, as JSON can hold it."""
    models, found = comparison.models, sorted_values(comparison.models)
    told = columns(models, found)
    return {
        "models": [_model(model, at, told) for at, model in enumerate(models)],
        "floors": {column.key: column.floor.to_plain() for column in told if column.floor},
        "protocols": {column.key: column.protocol for column in told if column.protocol},
        "not_compared": [
            {"name": name, "kimg": value.kimg, **value.result.to_plain()}
            for like in found.unlike
            for name, value in like.values.items()
        ],
        "precision_recall": {"protocol": comparison.turned_protocol, "turned": _turned(models)},
        "settings_unlike": [
            {"part": one.part, "name": one.name, "values": list(one.values)} for one in settings_of(models) if one.apart
        ],
        "seed": comparison.seed,
        "notes": list(comparison.notes),
    }


def _model(model: Compared, at: int, told: Sequence[ComparisonColumn]) -> dict[str, Any]:
    cells = {column.key: column.cells[at] for column in told}
    return {
        "name": model.name,
        "model": model.run.model,
        "run": model.run.run_path,
        "kimg": model.kimg,
        "notes": list(model.notes),
        "values": {
            key: cell.text if cell.value is None else {"value": _finite(cell.value), "standard_error": cell.error}
            for key, cell in cells.items()
            if cell is not None
        },
    }


def _turned(models: Sequence[Compared]) -> list[dict[str, Any]]:
    return [
        {"name": model.name, **{key: _listed(value) for key, value in vars(turned).items()}}
        for model in models
        for turned in model.turned
    ]


def _listed(value: Any) -> Any:
    return value if isinstance(value, str) else [_finite(one) for one in value]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
