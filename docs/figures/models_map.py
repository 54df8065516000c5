"""Makes models_map.png and models_map.md: what every model of pictures draws after equal time, and what it cost.

python docs/figures/models_map.py [--runs FOLDER] [--seconds 90] [--only NAME ...]

Trains each model's small preset on ``scenes`` for so many seconds of processor time on one thread, with no other
setting than the length, and measures it against scenes that it was not trained on, through a classifier of the kinds
of scene. Runs that FOLDER holds are not trained again. Models without latents are left out: they draw too slowly. With
``--only`` the rows of these are made again, and those of others stay as they are.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ganvas.core import catalogue
from ganvas.core.number_text import with_error
from ganvas.data.packing import prepare
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.capabilities import HasLatents
from ganvas.tasks.catalogues import features
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

HERE = Path(__file__).parent
SCENES, OTHER_SCENES = "scenes:4000,16x16,seed=1", "scenes:4000,16x16,seed=2"
METRICS, MEASURED = ("kid", "precision_recall"), 2000
SHOWN = {"kid": "KID", "precision_recall.precision": "precision", "precision_recall.recall": "recall"}
OF_CLASSES = {"gan/acgan", "gan/ssgan_semi"}  # Models that are made to learn from labels.
TRIED_KIMG = (0.25, 0.5, 1.5)  # To warm up; then two lengths, whose difference tells what a kimg costs.
COLUMNS, SIDE, GAP, CAPTION = 14, 48, 4, 260


@dataclass(frozen=True)
class Row:
    """One model of the map."""

    model: str
    kimg: float  # Shown in the time.
    parameters: int
    draw_ms: float  # Of processor time for one picture.
    values: dict[str, str]  # Of SHOWN, each with its standard error.


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where runs are kept; removed where left out")
    arguments.add_argument("--seconds", type=float, default=90.0, help="of processor time, for each model")
    arguments.add_argument("--only", nargs="*", help="these models")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        runs = given.runs or Path(temporary)
        runs.mkdir(parents=True, exist_ok=True)
        judge = classifier(runs / "classifier.safetensors")
        names = given.only or models()
        rows = [row_of(name, trained(name, runs, given.seconds), judge) for name in names]
        pictures = [load(runs / name.replace("/", "-")).sample(COLUMNS, seed=3).bytes for name in names]
    if given.only:
        update(rows, pictures)
    else:
        (HERE / "models_map.md").write_text(table(rows, floor(judge), given.seconds), encoding="utf-8")
        sheet(["data", *names], [reals(), *pictures]).save(HERE / "models_map.png", optimize=True)


def models() -> list[str]:
    """Every model that draws pictures from latents: others take longer to draw MEASURED of them than to train."""
    found = []
    for entry in catalogue.entries("models"):
        module = catalogue.load("models", entry.name)
        with torch.device("meta"):
            model = module.Model(module.TINY)
        if Pictures in module.Model.takes and isinstance(model, HasLatents):
            found.append(entry.name)
    return found


def classifier(file: Path) -> Path:
    """A network that tells the kinds of scene apart, made where it is not there yet."""
    if not file.exists():
        features.train(features.Train(source=SCENES, out=file, epochs=8))
    return file


def trained(name: str, runs: Path, seconds: float) -> Path:
    """The run of a model in the folder, of so many seconds of processor time; trained where it is not there yet."""
    run = runs / name.replace("/", "-")
    if not (run / "run.json").exists():
        with tempfile.TemporaryDirectory() as temporary:
            _, short, long = (cpu_seconds(name, Path(temporary) / str(kimg), kimg) for kimg in TRIED_KIMG)
        a_kimg = (long - short) / (TRIED_KIMG[2] - TRIED_KIMG[1])
        cpu_seconds(name, run, float(f"{seconds / a_kimg:.2g}"))
    return run


def cpu_seconds(name: str, out: Path, kimg: float) -> float:
    """Trains, and gives what it cost."""
    started = time.process_time()
    train(
        Train(
            model=name,
            data=SCENES,
            out=out,
            preset="small",
            kimg=kimg,
            set=("measure_kimg=-1", "sample_kimg=1e6"),
            threads=1,
            device="cpu",
            quiet=True,
            estimate=False,
            conditional=name in OF_CLASSES,
        )
    )
    return time.process_time() - started


def row_of(name: str, run: Path, judge: Path) -> Row:
    """What a run draws, in numbers, and what it cost."""
    model = load(run)
    started = time.process_time()
    model.sample(256, seed=4)
    draw_ms = (time.process_time() - started) / 256 * 1000
    parameters = sum(parameter.numel() for parameter in model.model.parameters())
    row = Row(name, model.kimg, parameters, draw_ms, measured(str(run), judge))
    sys.stdout.write(json.dumps(asdict(row)) + "\n")
    return row


def floor(judge: Path) -> dict[str, str]:
    """What other scenes score in the place of generated ones."""
    return measured(SCENES, judge)


def measured(generated: str, judge: Path) -> dict[str, str]:
    """The values of SHOWN against scenes that were not trained on."""
    found = measure(
        Measure(
            a=generated,
            b=OTHER_SCENES,
            n=MEASURED,
            metrics=METRICS,
            features=str(judge),
            device="cpu",
            quiet=True,
        )
    )
    values = {result.metric: with_error(result.value, result.standard_error) for result in found.results}
    return {metric: values[metric] for metric in SHOWN}


def update(rows: list[Row], pictures: list[NDArray[np.uint8]]) -> None:
    """Puts rows into the table and the sheet that are there, in the place of those of the same models."""
    lines = (HERE / "models_map.md").read_text(encoding="utf-8").splitlines()
    names = [line.split("`")[1] for line in lines if line.startswith("| `")]
    first = next(at for at, line in enumerate(lines) if line.startswith("| `"))
    with Image.open(HERE / "models_map.png") as image:
        whole = image.convert("RGB")
    for row, drawn in zip(rows, pictures, strict=True):
        at = names.index(row.model)
        lines[first + at] = f"| {' | '.join(cells_of(row))} |"
        strip = sheet([row.model], [drawn]).crop((0, 0, whole.width, SIDE + GAP))
        whole.paste(strip, (0, (at + 1) * (SIDE + GAP)))  # After the row of the data.
    (HERE / "models_map.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
    whole.save(HERE / "models_map.png", optimize=True)


def table(rows: list[Row], reals: dict[str, str], seconds: float) -> str:
    """The rows as Markdown."""
    head = ["model", "kimg shown", "parameters", "ms per picture drawn", *SHOWN.values()]
    cells = [cells_of(row) for row in rows]
    cells.append(["other scenes", "", "", "", *(reals[metric] for metric in SHOWN)])
    text = [" | ".join(line) for line in [head, ["---"] * len(head), *cells]]
    note = f"After {seconds:g} s of processor time each, on one thread; the small presets, scenes of 16x16 pixels."
    return "\n".join([note, "", *(f"| {line} |" for line in text), ""])


def cells_of(row: Row) -> list[str]:
    """A row of the table."""
    line = [f"`{row.model}`", f"{row.kimg:,.3g}", f"{row.parameters:,}", f"{row.draw_ms:.2g}"]
    return line + [row.values[metric] for metric in SHOWN]


def reals() -> NDArray[np.uint8]:
    """As many scenes as a row has, (n, h, w, c)."""
    return prepare(SCENES, size=(16, 16), channels=3, quiet=True).read(np.arange(COLUMNS))


def sheet(names: list[str], rows: list[NDArray[np.uint8]]) -> Image.Image:
    """A row of pictures for each name."""
    side = SIDE + GAP
    image = Image.new("RGB", (CAPTION + COLUMNS * side, len(rows) * side + GAP), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(17)
    for index, (name, row) in enumerate(zip(names, rows, strict=True)):
        draw.text((6, index * side + GAP + SIDE // 2 - 12), name, "black", font)
        for column, picture in enumerate(row):
            large = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            image.paste(large, (CAPTION + column * side, index * side + GAP))
    return image


if __name__ == "__main__":
    main()
