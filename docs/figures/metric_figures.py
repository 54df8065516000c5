"""Makes metric_*.png, a figure for each metric: sets of pictures spoilt in several ways, and what it says of each.

python docs/figures/metric_figures.py --classifier scenes.safetensors [NAME ...]

The classifier is trained where the file is not there (a minute or two): 4,000 scenes of 32 pixels, 4 classes.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import metric_extras as extras
import metric_sheets as sheets
import spoilt_sets
from metric_sheets import Column
from spoilt_sets import Pictures, Row

from ganvas.report.drawing.drawing import Drawing

HERE = Path(__file__).parent
ALL = ("fresh", "copies", "repeated", "missing", "swapped", "blurred", "darker", "noisy", "tenth")
SHEETS: dict[str, tuple[tuple[str, ...], list[Column]]] = {
    "swd": (
        (*ALL, "turned", "shuffled", "one", "noise"),
        [
            Column(metric="swd.32", title="swd.32, fine detail", reach=(0, 330), places=0),
            Column(metric="swd.16", title="swd.16, large shapes", reach=(0, 330), places=0),
        ],
    ),
    "ms_ssim": (
        (*ALL, "shuffled", "one", "noise"),
        [Column(metric="ms_ssim", title="MS-SSIM (like the reals is best)", reach=(0, 1.1), places=3)],
    ),
    "inception_score": (
        ("fresh", "copies", "repeated", "surest", "missing", "swapped", "blurred", "tenth", "noise"),
        [Column(metric="inception_score", title="Inception Score (higher is better)", reach=(1, 4.2), places=2)],
    ),
    "fid": (ALL, [Column(metric="fid", title="FID (lower is better)", log=True)]),
    "sfid": (
        ("fresh", "copies", "repeated", "missing", "swapped", "turned", "shuffled", "blurred", "darker", "tenth"),
        [Column(metric="fid", title="FID", log=True), Column(metric="sfid", title="sFID", log=True)],
    ),
    "fd_dinov2": (ALL, [Column(metric="fd_dinov2", title="Fréchet distance", log=True)]),
    "kid": (ALL, [Column(metric="kid", title="KID (lower is better)", reach=(-0.004, 0.016), places=4)]),
    "mind": (ALL, [Column(metric="mind", title="MIND (lower is better)", log=True)]),
    "cmmd": (ALL, [Column(metric="cmmd", title="CMMD (lower is better)", log=True)]),
    "precision_recall": (
        ALL,
        [
            Column(metric="precision_recall.precision", title="precision", reach=(0, 1.1), places=2),
            Column(metric="precision_recall.recall", title="recall", reach=(0, 1.1), places=2),
        ],
    ),
    "density_coverage": (
        (*ALL, "half", "half_outlier"),
        [
            Column(metric="precision_recall.precision", title="precision", reach=(0, 1.2), places=2),
            Column(metric="density_coverage.density", title="density", reach=(0, 1.4), places=2),
            Column(metric="density_coverage.coverage", title="coverage", reach=(0, 1.2), places=2),
        ],
    ),
    "prd": (
        ALL,
        [
            Column(metric="prd.f1_8", title="F1/8 (precision)", places=2),
            Column(metric="prd.f8", title="F8 (recall)", places=2),
        ],
    ),
    "auth_pct": (
        ("fresh", "copies", "grain_copies", "mirrored", "repeated", "blurred", "noise"),
        [Column(metric="auth_pct", title="authentic, % (higher is better)", reach=(0, 110), places=0)],
    ),
    "vendi": (
        ("fresh", "copies", "repeated", "surest", "missing", "swapped", "blurred", "darker", "noisy", "tenth", "noise"),
        [Column(metric="vendi", title="Vendi Score", places=2)],
    ),
    "fld": (ALL, [Column(metric="fld", title="FLD (lower is better)")]),
    "segmentation_distance": (
        ("fresh", "copies", "repeated", "missing", "swapped", "shuffled", "blurred", "darker", "noisy", "noise"),
        [Column(metric="segmentation_distance", title="Fréchet segmentation distance", log=True)],
    ),
}

OTHERS = {
    "fid_infinity": extras.fid_by_number,
    "geometry_score": lambda _: extras.rings(),
    "polygons": lambda _: extras.triangles(),
    "lpips": lambda _: extras.pairs_by_lpips(),
    "psnr": lambda _: extras.pairs(),
    "ssim": lambda _: extras.pairs(),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--classifier", type=Path, required=True)
    parser.add_argument("names", nargs="*", default=[*SHEETS, *OTHERS])
    given = parser.parse_args()
    reals, rows = spoilt_sets.rows(given.classifier)
    for name in given.names:
        sheets.save(figure(name, given.classifier, reals, rows), HERE / f"metric_{name}.png")


def figure(name: str, path: Path, reals: Pictures, rows: Mapping[str, Row]) -> Drawing:
    """One metric's."""
    if name in OTHERS:
        return OTHERS[name](path)
    which, columns = SHEETS[name]
    metrics = sorted({column.metric.partition(".")[0] for column in columns})
    seen = spoilt_sets.networks(path, metrics)
    used = {row: rows[row] for row in which}
    found = spoilt_sets.measured(reals, used, metrics, seen)
    if "half_outlier" in used:
        others = spoilt_sets.with_outliers(reals, rows["noise"].pictures)
        found |= spoilt_sets.measured(others, {"half_outlier": used["half_outlier"]}, metrics, seen)
    drawing = sheets.sheet(used, found, columns)
    if name == "kid":
        return sheets.stacked(drawing, extras.kid_by_number(path, drawing.height + 6), height=extras.HEIGHT)
    if name == "prd":
        some = {row: used[row] for row in ("fresh", "repeated", "missing", "darker")}
        curves = extras.prd_curves(path, reals, some, drawing.height + 6)
        return sheets.stacked(drawing, curves, height=extras.HEIGHT + 10)
    return drawing


if __name__ == "__main__":
    main()
