"""Makes time_to_quality.png: SWD and KID over seconds of one processor core, ours and public ports of others.

``python docs/figures/time_to_quality.py`` after ``python -m benchmarks.time_to_quality``: draws the newest sitting in
benchmarks/history.jsonl, what was measured within two hours. Prints the same as a table for docs/search.md.
"""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ganvas.core.number_text import with_error
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.panels import Axes, Curve, chart

HERE = Path(__file__).parent
HISTORY, PREFIX = HERE.parents[1] / "benchmarks" / "history.jsonl", "time_to_quality."
SITTING = timedelta(hours=2)
METRICS = {"swd": "SWD", "kid": "KID"}
WIDTH, HEIGHT = 250.0, 200.0  # Of a panel, in points.

Rows = dict[str, list[dict[str, Any]]]


def main() -> None:
    """Draws and prints."""
    rows = newest_sitting()
    write(drawn(rows), HERE / "time_to_quality.png", dpi=200)
    sys.stdout.write(table(rows) + "\n")


def newest_sitting() -> Rows:
    """What each entrant reached, in the order of time; reals are an entrant too."""
    lines = [json.loads(text) for text in HISTORY.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line["name"].startswith(PREFIX)]
    newest = max(datetime.fromisoformat(line["when"]) for line in lines)
    rows: Rows = {}
    for line in lines:
        if newest - datetime.fromisoformat(line["when"]) < SITTING:
            rows.setdefault(line["name"].removeprefix(PREFIX), []).append(line["values"])
    return rows


def drawn(rows: Rows) -> Drawing:
    """A panel a metric, a curve an entrant, and what reals reach as a level."""
    items = []
    for column, (metric, title) in enumerate(METRICS.items()):
        floor = rows["reals"][0][metric]
        curves = [
            Curve(
                name=name,
                x=[one["cpu_sec"] for one in found],
                y=[one[metric] for one in found],
                error=[one.get(f"{metric}_error", 0.0) for one in found],
                marks=True,
            )
            for name, found in rows.items()
            if name != "reals"
        ]
        last = max(max(curve.x) for curve in curves)
        curves.append(Curve(name="reals", x=[0, last], y=[floor, floor], colour="#777777", dash=(1.5, 1.5)))
        axes = Axes(x_title="seconds of one processor core", y_title=title, log_y=True)
        items += chart(curves, (column * WIDTH + 6, 4, WIDTH - 14, HEIGHT - 6), axes=axes)
    return Drawing(width=len(METRICS) * WIDTH, height=HEIGHT, items=tuple(items))


def table(rows: Rows) -> str:
    """A row a moment of an entrant."""
    lines = ["| entrant | seconds | SWD ↓ | KID ↓ |", "|---|---|---|---|"]
    for name, found in rows.items():
        for one in found[:1] if name == "reals" else found:
            values = (with_error(one[metric], one.get(f"{metric}_error")) for metric in METRICS)
            lines.append(f"| {name} | {one.get('cpu_sec', '–')} | {' | '.join(values)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
