"""Makes the figures of docs/flows.md, and flows_gan.md: bits, temperature, points, and a GAN whose likelihood is known.

python docs/figures/flow_figures.py [--runs FOLDER] [--only PART ...]

Trains the small presets of ``flow/glow`` (scenes of 16x16), ``flow/spline`` (two laws of points) and ``flow/flow_gan``
(scenes of 8x8, three objectives) where FOLDER holds no such runs yet: about 12 minutes of one processor core. The gate
of flows leaves the same runs with ``--keep FOLDER``.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.number_text import number, with_error
from ganvas.core.run_folder import RunFolder
from ganvas.data.packing import prepare
from ganvas.data.points.packed_points import prepare_points
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.report.pictures.grid import grid
from ganvas.report.pictures.scatter import scatter
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

HERE = Path(__file__).parent
SCENES, HELD_OUT = "scenes:8000,16x16", "scenes:512,16x16,seed=9"
SMALL, SMALL_HELD_OUT = "scenes:4000,8x8", "scenes:512,8x8,seed=9"
GLOW_KIMG, POINT_KIMG, GAN_KIMG = 40.0, 150.0, 24.0
COLUMNS, SCALE = 12, 4
WIDTH, HEIGHT = 480.0, 240.0
NAMES = {"gaussian": "Gaussian", "histogram": "histogram per pixel", "png": "PNG", "webp": "lossless WebP"}
TEMPERATURES = (0.5, 0.7, 0.9, 1.0)
SMALL_FLOW = ("channels=1", "flow_features=8", "features=16")
OBJECTIVES = ("likelihood", "hybrid", "adversarial")
DOTS, LAW = 4000, "mixtures:ring8_wide"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where the runs are kept; removed where left out")
    arguments.add_argument("--only", nargs="*", choices=list(PARTS), help="some of the figures")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.only or PARTS:
            PARTS[name](given.runs or Path(temporary))


def trained(runs: Path, name: str, model: str, data: str, **how: Any) -> Path:
    """The run of a name, trained where it is not there yet."""
    if not (runs / name / "run.json").exists():
        train(Train(model=model, data=data, out=runs / name, threads=1, **how))
    return runs / name


def glow(runs: Path) -> Path:
    """Of scenes."""
    settings = (f"measure_kimg={GLOW_KIMG / 5}", "sample_kimg=1000")
    return trained(runs, "glow", "flow/glow", SCENES, held_out=HELD_OUT, preset="small", kimg=GLOW_KIMG, set=settings)


def bits(runs: Path) -> None:
    """Bits per dimension of held-out scenes over the run, with yardsticks of the same scenes as level lines."""
    lines = [line for line in RunFolder(glow(runs)).lines("measures.jsonl") if line["source"] == "training"]
    kimg = [line["kimg"] for line in lines]
    values = {one["metric"].rpartition(".")[2]: one["value"] for one in lines[-1]["results"]}
    learnt = [next(one["value"] for one in line["results"] if one["metric"] == "bits_per_dimension") for line in lines]
    curves = [Curve(name=f"Glow, {learnt[-1]:.2f}", x=kimg, y=learnt, marks=True)]
    for name in sorted(NAMES, key=lambda name: -values[name]):
        level = values[name]
        curves.append(Curve(name=f"{NAMES[name]}, {level:.2f}", x=[0, kimg[-1]], y=[level, level]))
    axes = Axes(title="bits per dimension of held-out scenes", x_title="thousands of scenes shown", size=8.0)
    drawn = chart(curves, (2, 2, WIDTH - 4, HEIGHT - 4), axes=axes)
    title = "Bits per dimension of held-out scenes while Glow learns, beside codes that learn nothing"
    write(Drawing(width=WIDTH, height=HEIGHT, items=tuple(drawn), title=title), HERE / "flows_bits.svg")


def temperature(runs: Path) -> None:
    """A row of scenes that were not trained on, then a row of drawn ones for each temperature, from the same seed."""
    model = load(glow(runs))
    rows = [prepare(HELD_OUT, quiet=True).read(np.arange(COLUMNS))]
    rows += [model.sample(COLUMNS, seed=0, temperature=one).bytes for one in TEMPERATURES]
    grid(np.concatenate(rows), columns=COLUMNS, scale=SCALE, gap=2).save(HERE / "flows_temperature.png")


def points(runs: Path) -> None:
    """What a spline flow draws of eight modes over the points that it learnt."""
    settings = (f"measure_kimg={POINT_KIMG}", "sample_kimg=1000")
    run = trained(runs, "ring", "flow/spline", LAW, preset="mixtures", kimg=POINT_KIMG, set=settings)
    drawn = load(run).sample_points(DOTS, seed=0)
    real = prepare_points(LAW, quiet=True).read(np.arange(DOTS))
    found = {one["metric"]: one["value"] for one in RunFolder(run).lines("measures.jsonl")[-1]["results"]}
    title = f"flow/spline after {POINT_KIMG:g} kimg: KL {found['kl']:.3f} nats"
    write(scatter(drawn, real, title=title), HERE / "flows_points.png", dpi=144.0)


def gan(runs: Path) -> None:
    """Scenes drawn under each objective below real ones, and the table of what held-out ones cost under each."""
    rows = [prepare(SMALL_HELD_OUT, channels=1, quiet=True).read(np.arange(COLUMNS))]
    table = ["| objective | bits per dimension of held-out scenes, at most | SWD |", "| --- | --- | --- |"]
    for objective in OBJECTIVES:
        settings = (f"objective={objective}", *SMALL_FLOW, "sample_kimg=1000", f"measure_kimg={GAN_KIMG}")
        settings += ("likelihood_weight=0.01",) if objective == "hybrid" else ()
        how: dict[str, Any] = {"held_out": SMALL_HELD_OUT, "preset": "small", "kimg": GAN_KIMG, "set": settings}
        run = trained(runs, f"gan-{objective}", "flow/flow_gan", SMALL, **how)
        rows.append(load(run).sample(COLUMNS, seed=0).bytes)
        found = {one["metric"]: one for one in RunFolder(run).lines("measures.jsonl")[-1]["results"]}
        bits_, distance = found["bits_per_dimension"], found["swd"]
        cells = [with_error(bits_["value"], bits_["standard_error"]), number(distance["value"], digits=3)]
        table.append(f"| {objective} | {' | '.join(cells)} |")
    grid(np.concatenate(rows), columns=COLUMNS, scale=2 * SCALE, gap=2).save(HERE / "flows_gan.png")
    (HERE / "flows_gan.md").write_text("\n".join(table) + "\n", encoding="utf-8")


PARTS: dict[str, Callable[[Path], None]] = {"bits": bits, "temperature": temperature, "points": points, "gan": gan}

if __name__ == "__main__":
    main()
