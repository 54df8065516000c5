"""Makes small_data.png: DCGAN on 300, 3,000 and 30,000 scenes, without augmentation and with either kind of it.

python docs/figures/small_data.py RUNS [--kimg 30]

RUNS is a folder where the runs are kept; the same command resumes them. About 4 minutes of one processor core. Prints
the table of values, one line of JSON each.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from ganvas.data.packing import prepare
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.tasks.catalogues import features
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train, train
from ganvas.train.health.signs import told_apart
from ganvas.train.trained import load

HERE = Path(__file__).parent
SIZES, ARMS = (300, 3_000, 30_000), ("none", "diff", "ada")
SETTINGS = ("features=16", "batch_size=32", "latent_size=64", "prior=normal", "lr=0.0005", "augment_kimg=10")
UNSEEN, CLASSIFIED = "scenes:2000,16x16,seed=5", "scenes:2000,16x16,seed=7"
TITLES = {"kid": "KID to unseen scenes", "gap": "D prefers training scenes to unseen ones"}
WIDTH, HEIGHT = 220.0, 170.0  # Of a panel, in points.


def main() -> None:
    """Trains, measures, prints and draws."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("runs", type=Path)
    arguments.add_argument("--kimg", type=float, default=30)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    classifier = given.runs / "scenes.safetensors"
    given.runs.mkdir(parents=True, exist_ok=True)
    if not classifier.exists():
        features.train(features.Train(source=CLASSIFIED, out=classifier, epochs=4), quiet=True)
    rows = []
    for size in SIZES:
        for arm in ARMS:
            rows.append({"size": size, "arm": arm, **reached(given.runs, size, arm, given.kimg, classifier)})
            sys.stdout.write(json.dumps(rows[-1]) + "\n")
    write(drawn(rows), HERE / "small_data.png", dpi=200)


def reached(runs: Path, size: int, arm: str, kimg: float, classifier: Path) -> dict[str, float]:
    """KID to unseen scenes, and in what share of pairs beyond the half D prefers training scenes to unseen ones."""
    out, data = runs / f"{size}-{arm}", f"scenes:{size},16x16"
    settings = (*SETTINGS, "measure_kimg=-1", "sample_kimg=1000", "report_kimg=1", "keep_last=99")
    train(
        Train(
            model="gan/dcgan",
            data=data,
            out=out,
            kimg=kimg,
            augment=arm,
            set=settings,
            threads=1,
            device="cpu",
            quiet=True,
            estimate=False,
        )
    )
    task = Measure(a=str(out), b=UNSEEN, metrics=("kid",), n=2000, features=str(classifier), quiet=True)
    kid = next(result.value for result in measure(task).results if result.metric == "kid")
    return {"kid": kid, "gap": told_apart(verdicts(out, data), verdicts(out, UNSEEN)) - 0.5}


def verdicts(run: Path, source: str) -> torch.Tensor:
    """How real the discriminator finds up to a thousand pictures of a source."""
    trained = load(run)
    packed = prepare(source, size=(trained.height, trained.width), channels=trained.channels, quiet=True)
    return trained.judge(torch.from_numpy(packed.read(range(min(len(packed), 1000)))).permute(0, 3, 1, 2))


def drawn(rows: list[dict]) -> Drawing:
    """Both values over the number of pictures, a curve per augmentation."""
    items = []
    for column, (name, title) in enumerate(TITLES.items()):
        curves = []
        for arm in ARMS:
            found = [row for row in rows if row["arm"] == arm]
            x, y = [row["size"] for row in found], [row[name] for row in found]
            curves.append(Curve(name=arm, x=x, y=y, marks=True))
        axes = Axes(x_title="scenes trained on", y_title=title, log_x=True)
        items += chart(curves, (column * WIDTH + 6, 4, WIDTH - 14, HEIGHT - 6), axes=axes)
    return Drawing(width=len(TITLES) * WIDTH, height=HEIGHT, items=tuple(items))


if __name__ == "__main__":
    main()
