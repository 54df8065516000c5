"""Makes pixelcnn_bits.svg and pixelcnn_samples.png: what PixelCNN++ has learnt of scenes, and what it draws.

python docs/figures/pixelcnn_figures.py [--run FOLDER]

Trains ``--preset small`` on 4,000 scenes of 16x16 pixels where FOLDER holds no run yet: about six minutes of one
processor core, of which the sheets of samples take two.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from ganvas.core.run_folder import RunFolder
from ganvas.data.packing import prepare
from ganvas.metrics.likelihood.yardsticks import yardsticks
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.report.pictures.grid import grid
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

HERE = Path(__file__).parent
DATA, HELD_OUT = "scenes:4000,16x16", "scenes:1000,16x16,seed=9"
KIMG = 12.0
COLUMNS, SCALE = 12, 4
WIDTH, HEIGHT = 480.0, 240.0
NAMES = {"gaussian": "Gaussian", "histogram": "histogram per pixel", "png": "PNG", "webp": "lossless WebP"}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--run", type=Path, help="where the run is kept; removed where left out")
    with tempfile.TemporaryDirectory() as temporary:
        run = trained(arguments.parse_args().run or Path(temporary) / "run")
        bits(run)
        samples(run)


def trained(run: Path) -> Path:
    """The run in the folder, trained where it is not there yet."""
    if not (run / "run.json").exists():
        train(
            Train(
                model="autoregressive/pixelcnn_pp",
                data=DATA,
                held_out=HELD_OUT,
                out=run,
                preset="small",
                kimg=KIMG,
                set=("measure_kimg=1", "sample_kimg=1000"),
                threads=1,
            )
        )
    return run


def bits(run: Path) -> None:
    """Bits per dimension of held-out scenes over the run, with yardsticks of the same scenes as level lines."""
    lines = [line for line in RunFolder(run).lines("measures.jsonl") if line["source"] == "training"]
    kimg = [line["kimg"] for line in lines]
    found = [next(one for one in line["results"] if one["metric"] == "bits_per_dimension") for line in lines]
    learnt = Curve(name=f"PixelCNN++, {found[-1]['value']:.2f}", x=kimg, y=[one["value"] for one in found], marks=True)
    curves = [learnt]
    train_set, held_out = (prepare(spec, quiet=True).read(slice(None)) for spec in (DATA, HELD_OUT))
    for one in sorted(yardsticks(train_set, held_out), key=lambda one: -float(one.bits.mean())):
        value = float(one.bits.mean())
        curves.append(Curve(name=f"{NAMES[one.name]}, {value:.2f}", x=[0, kimg[-1]], y=[value, value]))
    axes = Axes(title="bits per dimension of held-out scenes", x_title="thousands of scenes shown", size=8.0)
    drawn = chart(curves, (2, 2, WIDTH - 4, HEIGHT - 4), axes=axes)
    title = "Bits per dimension of held-out scenes while PixelCNN++ learns, beside codes that learn nothing"
    write(Drawing(width=WIDTH, height=HEIGHT, items=tuple(drawn), title=title), HERE / "pixelcnn_bits.svg")


def samples(run: Path) -> None:
    """Two rows of scenes that were not trained on, two rows of drawn ones."""
    real = prepare(HELD_OUT, quiet=True).read(np.arange(2 * COLUMNS))
    drawn = load(run).sample(2 * COLUMNS, seed=0).bytes
    grid(np.concatenate([real, drawn]), columns=COLUMNS, scale=SCALE, gap=2).save(HERE / "pixelcnn_samples.png")


if __name__ == "__main__":
    main()
