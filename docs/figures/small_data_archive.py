"""Makes small_data_NAME.png: DCGAN on some hundred and some thousand real pictures, without augmentation and with it.

python docs/figures/small_data_archive.py NAME ARCHIVE RUNS [--sizes 300 3000] [--kimg 60]

ARCHIVE is a tar file of pictures; 500 of them, chosen by a seed, are held out, the subsets are taken from the rest.
RUNS is a folder where the unpacked pictures and the runs are kept; the same command resumes them. Records each run's
figures, and draws the curves and a sheet of what was drawn. Some 8 minutes of one processor core.
"""

import argparse
import json
import os
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.gates.preset_run import finished_run

from benchmarks import history
from ganvas.core.seeds import stream
from ganvas.data.packing import prepare
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train
from ganvas.train.health.signs import told_apart
from ganvas.train.trained import load

HERE = Path(__file__).parent
ARMS, HELD_OUT, SEED, SIDE = ("none", "diff", "ada"), 500, 0, 32
SETTINGS = ("resolution=32", "channels=3", "features=8", "batch_size=32", "latent_size=64", "prior=normal", "lr=0.0005")
PLAN = ("augment_kimg=20", "measure_kimg=-1", "sample_kimg=1000", "report_kimg=1", "keep_last=1")
TITLES = {"swd": "SWD to pictures that were held out", "gap": "D prefers training pictures to held-out ones"}
WIDTH, HEIGHT = 220.0, 170.0  # Of a panel, in points.
SHOWN, ENLARGED, GAP = 12, 2, 4  # Pictures of a run on the sheet, their pixels' side, and pixels between rows.


def main() -> None:
    """Unpacks, trains, measures, records and draws."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("name")
    arguments.add_argument("archive", type=Path)
    arguments.add_argument("runs", type=Path)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[300, 3000])
    arguments.add_argument("--kimg", type=float, default=60)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    held_out, subsets = parted(given.archive, given.runs, given.sizes)
    rows, sheets = [], []
    for size, folder in subsets.items():
        for arm in ARMS:
            out = given.runs / f"{given.name}-{size}-{arm}"
            rows.append(
                {"size": size, "arm": arm, "kimg": given.kimg, **reached(out, folder, held_out, arm, given.kimg)}
            )
            sheets.append(drawn_by(out))
    for row in rows:
        history.record(f"small_data.{given.name}", row)
    write(curves_of(rows), HERE / f"small_data_{given.name}.png", dpi=200)
    stacked(sheets).save(HERE / f"small_data_{given.name}_samples.png")


def parted(archive: Path, runs: Path, sizes: list[int]) -> tuple[Path, dict[int, Path]]:
    """Folders of the pictures that are held out, and of each subset: the smaller are part of the larger."""
    whole = runs / "whole"
    if not whole.exists():
        with tarfile.open(archive) as file:
            file.extractall(whole, filter="data")
    pictures = sorted(path for path in whole.rglob("*") if path.suffix in (".png", ".jpg"))
    order = torch.randperm(len(pictures), generator=stream(SEED, "small data")).tolist()
    folders = {"held-out": order[:HELD_OUT]} | {str(size): order[HELD_OUT : HELD_OUT + size] for size in sizes}
    for name, rows in folders.items():
        if not (runs / name).exists():
            (runs / name).mkdir()
            for row in rows:
                os.link(pictures[row], runs / name / f"{row}{pictures[row].suffix}")
    return runs / "held-out", {size: runs / str(size) for size in sizes}


def reached(out: Path, data: Path, held_out: Path, arm: str, kimg: float) -> dict[str, float]:
    """SWD to held-out pictures, and in what share of pairs beyond the half D prefers training pictures to them."""
    kept = out.with_suffix(".json")
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    started, whole = time.process_time(), not out.exists()
    finished_run(
        Train(
            model="gan/dcgan",
            data=str(data),
            out=out,
            kimg=kimg,
            augment=arm,
            set=(*SETTINGS, *PLAN),
            quiet=True,
        )
    )
    seconds = time.process_time() - started
    task = Measure(a=str(out), b=str(held_out), metrics=("swd",), n=HELD_OUT, quick=True, quiet=True)
    swd = next(result.value for result in measure(task).results if result.metric == "swd")
    gap = told_apart(verdicts(out, data), verdicts(out, held_out)) - 0.5
    cost = {"cpu_sec": round(seconds, 1), "threads": 1} if whole else {}  # One that was resumed does not know.
    kept.write_text(json.dumps({"swd": swd, "gap": gap, **cost}), encoding="utf-8")
    return {"swd": swd, "gap": gap, **cost}


def verdicts(run: Path, source: Path) -> torch.Tensor:
    """How real the discriminator finds up to a thousand pictures of a source."""
    packed = prepare(str(source), size=(SIDE, SIDE), channels=3, quiet=True)
    return load(run).judge(torch.from_numpy(packed.read(range(min(len(packed), 1000)))).permute(0, 3, 1, 2))


def curves_of(rows: list[dict]) -> Drawing:
    """Both values over the number of pictures, a curve per augmentation."""
    items = []
    for column, (name, title) in enumerate(TITLES.items()):
        curves = []
        for arm in ARMS:
            found = [row for row in rows if row["arm"] == arm]
            x, y = [row["size"] for row in found], [row[name] for row in found]
            curves.append(Curve(name=arm, x=x, y=y, marks=True))
        axes = Axes(x_title="pictures trained on", y_title=title, log_x=True)
        items += chart(curves, (column * WIDTH + 6, 4, WIDTH - 14, HEIGHT - 6), axes=axes)
    return Drawing(width=len(TITLES) * WIDTH, height=HEIGHT, items=tuple(items))


def drawn_by(run: Path) -> Image.Image:
    """A row of what a run draws."""
    (drawn,) = load(run).sample_bytes(SHOWN, seed=0)
    pictures = drawn.permute(0, 2, 3, 1).numpy().repeat(ENLARGED, 1).repeat(ENLARGED, 2)
    return Image.fromarray(np.concatenate(list(pictures), axis=1))


def stacked(sheets: list[Image.Image]) -> Image.Image:
    """The rows one above the other."""
    height = sheets[0].height + GAP
    whole = Image.new("RGB", (sheets[0].width, height * len(sheets) - GAP), "white")
    for index, sheet in enumerate(sheets):
        whole.paste(sheet, (0, index * height))
    return whole


if __name__ == "__main__":
    main()
