"""Makes blind_spot.png and autoregressive_samples.png: what PixelCNN does not see, and what such models draw.

python docs/figures/autoregressive_figures.py [--runs FOLDER]

Trains ``--preset small`` of both on 8,000 scenes of 16x16 pixels where FOLDER holds no runs of them yet: about ten
minutes of one processor core.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganvas.core import catalogue
from ganvas.core.seeds import stream
from ganvas.data.packing import prepare
from ganvas.nn.layers.initialise import initialise
from ganvas.report.drawing.drawing import Drawing, Item, Text, write
from ganvas.report.drawing.panels import Axes, heat_map
from ganvas.report.pictures.grid import grid
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

HERE = Path(__file__).parent
DATA, HELD_OUT, KIMG = "scenes:8000,16x16", "scenes:512,16x16,seed=9", 16.0
MODELS = {"pixelcnn": "PixelCNN", "gated_pixelcnn": "Gated PixelCNN"}
SIDE, PANEL, BLOCKS = 21, 190.0, 12
COLUMNS, SCALE = 12, 4


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where the runs are kept; removed where left out")
    torch.set_num_threads(1)
    blind_spot()
    with tempfile.TemporaryDirectory() as temporary:
        samples(arguments.parse_args().runs or Path(temporary))


def blind_spot() -> None:
    """Of each network what the middle pixel depends on (by gradient), and the earlier pixels that it does not."""
    items: list[Item] = []
    for number, (name, title) in enumerate(MODELS.items()):
        place = (4 + number * (PANEL + 8), 4.0, PANEL, PANEL)
        seen = seen_from_the_middle(name)
        past = torch.arange(SIDE * SIDE).view(SIDE, SIDE) < SIDE * (SIDE // 2) + SIDE // 2
        values = torch.where(seen, 1.0, torch.where(past, 0.45, 0.0)).numpy()
        count = f"{title}: {int(seen.sum())} of {int(past.sum())} earlier pixels"
        items += heat_map(values, place, axes=Axes(title=count), value_range=(0.0, 1.0))
    note = "Light: seen from the middle. Grey between: earlier, and never seen. Dark: the middle itself and later."
    items.append(Text(x=4, y=PANEL + 10, text=note, size=7))
    drawing = Drawing(width=len(MODELS) * (PANEL + 8), height=PANEL + 16, items=tuple(items))
    write(drawing, HERE / "blind_spot.png", dpi=144.0)


def seen_from_the_middle(name: str) -> Tensor:
    """Whether the middle pixel's numbers move with each pixel of a picture."""
    module = catalogue.load("models", f"autoregressive/{name}")
    config = catalogue.load("recipes", f"autoregressive/{name}").small().config
    model = module.Model(replace(config, height=SIDE, width=SIDE, blocks=BLOCKS)).double()
    initialise(model, stream(0, "weights"))
    shape = (8, 3, SIDE, SIDE)
    images = (2 * torch.rand(shape, generator=stream(1, "pictures"), dtype=torch.float64) - 1).requires_grad_()
    numbers = model.numbers(images, None)[..., SIDE // 2, SIDE // 2]
    (numbers * torch.randn(numbers.shape[1], generator=stream(2, "weights"), dtype=torch.float64)).sum().backward()
    assert images.grad is not None
    return images.grad.abs().sum((0, 1)) > 0


def samples(runs: Path) -> None:
    """A row of scenes that were not trained on, then two drawn rows of each model."""
    rows = [prepare(HELD_OUT, quiet=True).read(np.arange(COLUMNS))]
    for name in MODELS:
        rows.append(load(run(name, runs / name)).sample(2 * COLUMNS, seed=0).bytes)
    grid(np.concatenate(rows), columns=COLUMNS, scale=SCALE, gap=2).save(HERE / "autoregressive_samples.png")


def run(name: str, out: Path) -> Path:
    """The run in the folder, trained where it is not there yet."""
    if not (out / "run.json").exists():
        train(
            Train(
                model=f"autoregressive/{name}",
                data=DATA,
                held_out=HELD_OUT,
                out=out,
                preset="small",
                kimg=KIMG,
                set=("measure_kimg=4", "sample_kimg=16"),
                threads=1,
            )
        )
    return out


if __name__ == "__main__":
    main()
