"""Makes diffusion_steps.svg and diffusion_samples.png: what EDM and flow matching draw in how many passes.

python docs/figures/diffusion_figures.py [--runs FOLDER]

Trains ``--preset small`` of both on 5,000 scenes of 16x16 pixels where FOLDER holds no runs of them yet: about six
minutes of one processor core, and two for the drawing.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from ganvas.data.packing import prepare
from ganvas.losses.diffusion.solvers import SolverOptions
from ganvas.metrics import swd
from ganvas.metrics.measuring.flow import measure, reference
from ganvas.report.drawing.curves import Curve
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.panels import Axes, chart
from ganvas.report.pictures.grid import grid
from ganvas.tasks.train import Train, train
from ganvas.train.trained import Trained, load

HERE = Path(__file__).parent
DATA, KIMG = "scenes:5000,16x16", 15.0
MODELS = {"edm": "EDM", "flow_matching": "flow matching"}
N = 256  # Pictures on each side of a distance.
STEPS = {"euler": (1, 2, 4, 8, 16), "heun": (1, 2, 4, 8)}
SHOWN_STEPS, COLUMNS, SCALE = (1, 2, 4, 8, 18), 10, 4
WIDTH, HEIGHT = 520.0, 280.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where the runs are kept; removed where left out")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        runs = arguments.parse_args().runs or Path(temporary)
        trained = {name: load(run(name, runs / name)) for name in MODELS}
        samples(trained)
        steps(trained)


def run(name: str, out: Path) -> Path:
    """The run in the folder, trained where it is not there yet."""
    if not (out / "run.json").exists():
        train(
            Train(
                model=f"diffusion/{name}",
                data=DATA,
                out=out,
                preset="small",
                kimg=KIMG,
                set=(f"measure_kimg={KIMG}", "sample_kimg=100000"),
                threads=1,
            )
        )
    return out


def samples(trained: dict[str, Trained]) -> None:
    """Of each model a row per number of steps, all of the same noise; the last row are scenes."""
    rows = [
        one.sample(COLUMNS, seed=1, solver=SolverOptions(steps=count, solver="heun")).bytes
        for one in trained.values()
        for count in SHOWN_STEPS
    ]
    real = prepare(DATA, quiet=True).read(np.arange(COLUMNS))
    grid(np.concatenate([*rows, real]), columns=COLUMNS, scale=SCALE, gap=2).save(HERE / "diffusion_samples.png")


def steps(trained: dict[str, Trained]) -> None:
    """The distance to scenes against passes through the network for a picture, and that of other scenes."""
    packed = prepare(DATA, quiet=True)
    metrics = {"swd": swd.Config(patches=64, directions=128)}
    batches = [
        torch.from_numpy(packed.read(slice(first, first + 64))).permute(0, 3, 1, 2) for first in range(0, 2 * N, 64)
    ]
    reals = reference(batches, metrics=metrics, n=N)
    curves = []
    for name, one in trained.items():
        for solver, counts in STEPS.items():
            passes, values = [], []
            for count in counts:
                drawn = one.sample_bytes(N, seed=2, solver=SolverOptions(steps=count, solver=solver))
                found = measure(reals, list(drawn), metrics=metrics, n=N).results[0]
                passes.append(passes_of(name, solver, count))
                values.append(found.value)
            curves.append(Curve(name=f"{MODELS[name]}, {solver}", x=passes, y=values, marks=True))
    floor = reals.floor[0].value
    curves.append(Curve(name="other scenes", x=[1, 16], y=[floor, floor], dash=(2, 2)))
    axes = Axes(
        title="sliced Wasserstein distance to scenes",
        x_title="passes through the network for a picture",
        log_x=True,
        y_range=(0.0, 400.0),
        size=8.0,
    )
    drawn = chart(curves, (2, 2, WIDTH - 4, HEIGHT - 4), axes=axes)
    title = "Distance of drawn to real scenes against passes through the network, by model and solver"
    write(Drawing(width=WIDTH, height=HEIGHT, items=tuple(drawn), title=title), HERE / "diffusion_steps.svg")


def passes_of(name: str, solver: str, count: int) -> int:
    """Of the network for a picture; EDM's last step is Euler's."""
    return count if solver == "euler" else 2 * count - (name == "edm")


if __name__ == "__main__":
    main()
