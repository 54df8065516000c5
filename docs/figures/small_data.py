"""Makes small_data.png: DCGAN on 300, 3,000 and 30,000 scenes, without augmentation and with either kind of it.

python docs/figures/small_data.py RUNS [--kimg 10 20 30 40]

RUNS is a folder where the runs are kept; the same command resumes them. About 6 minutes of one processor core. Prints
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
from ganvas.report.drawing.primitives import Text
from ganvas.tasks import features
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train, train
from ganvas.train.health.signs import told_apart
from ganvas.train.trained import load

HERE = Path(__file__).parent
SIZES, ARMS = (300, 3_000, 30_000), ("none", "diff", "ada")
SETTINGS = ("features=16", "batch_size=32", "latent_size=64", "prior=normal", "lr=0.0005", "augment_kimg=10")
UNSEEN, CLASSIFIED = "scenes:2000,16x16,seed=5", "scenes:2000,16x16,seed=7"
WIDTH, HEIGHT, TOP = 168.0, 150.0, 16.0  # Of a panel, and of the heads above, in points.


def main() -> None:
    """Trains, measures, prints and draws."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("runs", type=Path)
    arguments.add_argument("--kimg", type=float, nargs="+", default=[10, 20, 30, 40])
    given = arguments.parse_args()
    torch.set_num_threads(1)
    classifier = given.runs / "scenes.safetensors"
    given.runs.mkdir(parents=True, exist_ok=True)
    if not classifier.exists():
        features.train(features.Train(source=CLASSIFIED, out=classifier, epochs=4), quiet=True)
    rows = []
    for size in SIZES:
        for arm in ARMS:
            for kimg in given.kimg:
                rows.append(
                    {"size": size, "arm": arm, "kimg": kimg, **reached(given.runs, size, arm, kimg, classifier)}
                )
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
    """A column per size: the distance above, the gap below."""
    items = []
    for column, size in enumerate(SIZES):
        left = column * WIDTH
        items.append(Text(x=left + WIDTH / 2 + 12, y=10, text=f"{size:,} scenes", size=8.5, anchor="middle"))
        for row, (name, title) in enumerate((("kid", "KID to unseen scenes"), ("gap", "D: training over unseen"))):
            found = [(arm, [one for one in rows if one["size"] == size and one["arm"] == arm]) for arm in ARMS]
            curves = [
                Curve(name=arm, x=[one["kimg"] for one in part], y=[one[name] for one in part], marks=True)
                for arm, part in found
            ]
            values = [one[name] for one in rows]
            reach = (min(0.0, *values), 1.05 * max(values))
            axes = Axes(x_title="images shown (kimg)", y_title=title, y_range=reach)
            items += chart(curves, (left, TOP + row * HEIGHT, WIDTH - 8, HEIGHT - 8), axes=axes)
    return Drawing(width=len(SIZES) * WIDTH, height=TOP + 2 * HEIGHT, items=tuple(items))


if __name__ == "__main__":
    main()
