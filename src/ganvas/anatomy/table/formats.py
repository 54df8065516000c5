"""A network's table in the formats that people paste: LaTeX, Markdown, CSV, JSON, plain text."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from ganvas.anatomy.table.latex import latex
from ganvas.anatomy.table.table import COLUMNS, Table, short


def cells(table: Table) -> list[list[str]]:
    """The rows as text."""
    return [[COLUMNS[name].text(row) for name in table.columns] for row in table.rows]


def totals(table: Table) -> list[list[str]]:
    """The sum rows: what the rows add up to, and the whole network if it has more."""
    label = "Total" if not table.unused else "Total used"
    lines = [_sum_row(table, label, table.used, short(table.macs))]
    if table.unused:
        lines.append(_sum_row(table, "Total with unused", table.parameters, ""))
    return lines


def _sum_row(table: Table, label: str, parameters: int, macs: str) -> list[str]:
    backward = short(table.macs_backward) if macs else ""
    known = {"params": f"{parameters:,}", "macs": macs, "backward": backward}
    line = [known.get(name, "") for name in table.columns]
    return line if table.columns[0] in known else [label, *line[1:]]


def to_latex(table: Table) -> str:
    """A captioned and labelled table that compiles as it is; its first line says which packages it needs."""
    return latex(
        title=table.title,
        heading=[COLUMNS[name].heading for name in table.columns],
        numeric=[COLUMNS[name].numeric for name in table.columns],
        body=cells(table),
        sums=totals(table),
        notes=table.footnotes,
    )


def to_markdown(table: Table) -> str:
    """A pipe table with its footnotes below."""
    lines = [[COLUMNS[name].heading for name in table.columns], *cells(table)]
    marks = ["---:" if COLUMNS[name].numeric else "---" for name in table.columns]
    sums = [[f"**{cell}**" if cell else "" for cell in row] for row in totals(table)]
    drawn = [lines[0], marks, *lines[1:], *sums]
    text = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in drawn)
    return f"**{table.title}**\n\n{text}\n\n" + "\n\n".join(table.footnotes) + "\n"


def to_csv(table: Table) -> str:
    """Values, not their short forms: shapes as 512x4x4, counts in full. No sums and no notes, so that it adds up.

    Without notes, the name of the column says which unit's receptive field it is.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["field_of_middle_unit" if name == "field" else name for name in table.columns])
    for row in table.rows:
        writer.writerow([_csv_cell(COLUMNS[name].value(row)) for name in table.columns])
    return out.getvalue()


def _csv_cell(value: object) -> object:
    if isinstance(value, list):
        return "x".join(map(str, value))
    return "" if value is None else value


def to_plain(table: Table) -> dict[str, Any]:
    """Everything, for other programs."""
    names = [name for name in COLUMNS if name != "note"]
    return {
        "model": table.title,
        "input_shapes": [list(shape) for shape in table.input_shapes],
        "rows": [{name: COLUMNS[name].value(row) for name in [*names, "note"]} for row in table.rows],
        "parameters": table.parameters,
        "used": table.used,
        "unused": table.unused,
        "macs": table.macs,
        "macs_backward": table.macs_backward,
        "notes": list(table.notes(tuple(COLUMNS))),
        "failed": table.failed,
    }


def to_json(table: Table) -> str:
    """``to_plain`` as text."""
    return json.dumps(to_plain(table), indent=2, ensure_ascii=False) + "\n"


def to_text(table: Table) -> str:
    """Columns of even width, for a terminal or a log."""
    heading = [COLUMNS[name].heading for name in table.columns]
    lines = [heading, *cells(table), *totals(table)]
    widths = [max(len(row[i]) for row in lines) for i in range(len(heading))]
    numeric = [COLUMNS[name].numeric for name in table.columns]

    def draw(row: Sequence[str]) -> str:
        parts = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True))
        return "  ".join(parts).rstrip()

    rule = "-" * len("  ".join(" " * w for w in widths))
    body = [draw(row) for row in lines]
    split = len(lines) - len(totals(table))
    return "\n".join([table.title, body[0], rule, *body[1:split], rule, *body[split:], *table.footnotes]) + "\n"


FORMATS: dict[str, Callable[[Table], str]] = {
    "latex": to_latex,
    "markdown": to_markdown,
    "csv": to_csv,
    "json": to_json,
    "text": to_text,
}
