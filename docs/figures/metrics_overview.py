"""Makes metrics_overview.png: which metric notices which fault, of scenes spoilt in a dozen ways.

python docs/figures/metrics_overview.py --classifier scenes.safetensors

The classifier is that of metric_figures.py, trained where the file is not there.
"""

import argparse
from pathlib import Path

import spoilt_sets
from metric_sheets import GAP, MARGIN, SIDE, SIZE, save, sees
from spoilt_sets import Row

from ganvas.report.drawing.drawing import Circle, Drawing, Image, Item, Paint, Text, line
from ganvas.report.drawing.palette import BLUE, RULE, VERMILION

ROWS = (
    *("copies", "repeated", "one", "missing", "swapped", "turned", "shuffled", "blurred", "darker", "noisy"),
    *("tenth", "noise"),
)
COLUMNS = {
    "swd": "SWD",
    "ms_ssim": "MS-SSIM",
    "inception_score": "Inception Score",
    "fid": "FID",
    "sfid": "sFID",
    "kid": "KID",
    "mind": "MIND",
    "cmmd": "CMMD",
    "precision_recall.precision": "precision",
    "precision_recall.recall": "recall",
    "density_coverage.density": "density",
    "density_coverage.coverage": "coverage",
    "prd.f1_8": "PRD, F1/8",
    "prd.f8": "PRD, F8",
    "auth_pct": "authenticity",
    "vendi": "Vendi",
    "fld": "FLD",
    "segmentation_distance": "segmentation",
}
SHOWN, NAMES, PITCH, ROW = 3, 118.0, 18.5, SIDE + 5
HEAD = 84.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--classifier", type=Path, required=True)
    path = parser.parse_args().classifier
    reals, all_rows = spoilt_sets.rows(path)
    rows = {name: all_rows[name] for name in ("fresh", *ROWS)}
    metrics = sorted({name.partition(".")[0] for name in COLUMNS})
    found = spoilt_sets.measured(reals, rows, metrics, spoilt_sets.networks(path, metrics))
    seen = {(row, column): sees(found[row][column], found["fresh"][column]) for row in ROWS for column in COLUMNS}
    save(drawn({name: rows[name] for name in ROWS}, seen), Path(__file__).with_name("metrics_overview.png"))


def drawn(rows: dict[str, Row], seen: dict[tuple[str, str], bool]) -> Drawing:
    """A row per set, a column per metric: a disc where the fault is seen, a ring where it passes."""
    left = MARGIN + SHOWN * (SIDE + GAP) + 6 + NAMES
    bottom = HEAD + len(rows) * ROW
    items: list[Item] = [*_legend()]
    for place, title in enumerate(COLUMNS.values()):
        x = left + place * PITCH + PITCH / 2
        items.append(Text(x=x + 3, y=HEAD - 8, text=title, size=SIZE, rotation=60))
        items.append(line((x, HEAD - 4), (x, bottom), Paint(stroke=RULE, stroke_width=0.4)))
    for number, (name, row) in enumerate(rows.items()):
        top = HEAD + number * ROW
        for place in range(SHOWN):
            pixels = row.pictures[place]
            items.append(Image(x=MARGIN + place * (SIDE + GAP), y=top, width=SIDE, height=SIDE, pixels=pixels))
        lines = row.title.split("\n")
        for at, text in enumerate(lines):
            y = top + SIDE / 2 + 3 - (len(lines) - 1) * 5 + 10.5 * at
            items.append(Text(x=MARGIN + SHOWN * (SIDE + GAP) + 6, y=y, text=text, size=SIZE))
        for place, column in enumerate(COLUMNS):
            items.append(_mark(left + place * PITCH + PITCH / 2, top + SIDE / 2, seen[name, column]))
    return Drawing(width=left + len(COLUMNS) * PITCH + 24, height=bottom + 2, items=tuple(items))


def _legend() -> list[Item]:
    items: list[Item] = []
    for number, (seen, text) in enumerate([(True, "seen"), (False, "blind: passes as another draw, or as better")]):
        y = 12 + 15 * number
        items += [_mark(MARGIN + 4, y, seen), Text(x=MARGIN + 12, y=y + 3, text=text, size=SIZE)]
    return items


def _mark(x: float, y: float, seen: bool) -> Circle:
    paint = Paint(fill=BLUE) if seen else Paint(fill="#ffffff", stroke=VERMILION, stroke_width=1.6)
    return Circle(x=x, y=y, radius=4.2 if seen else 3.6, paint=paint)


if __name__ == "__main__":
    main()
