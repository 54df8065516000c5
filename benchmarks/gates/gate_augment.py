"""The gate of adaptive augmentation: five hundred pictures, with and without ``--augment ada``, over three seeds.

Trains DCGAN on 500 scenes of 16x16 pixels. Two values are held against each other, each of a run with augmentation and
of one without, from the same seed: in what share of pairs beyond the half a training scene looks more real to the
discriminator than a scene that it never saw, and the kernel distance (KID) of generated scenes to scenes that nobody
trained on, through a classifier of scenes that Ganvas trains. Both must be less with augmentation, in the mean over the
seeds. The untrained network's distance is the other end.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_augment``; about 3 minutes of one processor core.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Literal

import torch
from benchmarks.gates.preset_run import finished_run

from benchmarks import history
from ganvas.core.run_folder import RunFolder
from ganvas.data.packing import prepare
from ganvas.tasks.catalogues import features
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train
from ganvas.train.health.signs import told_apart
from ganvas.train.trained import load

DATA, UNSEEN = "scenes:500,16x16", "scenes:500,16x16,seed=9"
REFERENCE, CLASSIFIED = "scenes:2000,16x16,seed=5", "scenes:2000,16x16,seed=7"
SEEDS = (0, 1, 2)
KIMG, ADAPT_KIMG = 30.0, 10.0  # Of a run; of the way from p = 0 to 1, which is 500 in the paper's runs of 25,000.
SETTINGS = ("features=16", "batch_size=32", "latent_size=64", "prior=normal", "lr=0.0005")
EPOCHS = 4  # Of the classifier.


def main() -> None:
    """Trains, measures, records; ends with an error where augmentation does not help in the mean."""
    torch.set_num_threads(1)
    found: dict[Literal["none", "ada"], list[dict[str, float]]] = {"none": [], "ada": []}
    with tempfile.TemporaryDirectory() as temporary:
        classifier = Path(temporary) / "scenes.safetensors"
        features.train(features.Train(source=CLASSIFIED, out=classifier, epochs=EPOCHS), quiet=True)
        for seed in SEEDS:
            for augment, values in found.items():
                values.append(reached(Path(temporary) / f"{augment}-{seed}", augment, seed, classifier))
                history.record(f"gate_augment.{augment}", {"seed": seed, **values[-1]})
        history.record("gate_augment.untrained", {"kid": kid(Path(temporary) / "none-0", classifier, kimg=0.0)})
    means = {name: {key: mean(one[key] for one in values) for key in ("gap", "kid")} for name, values in found.items()}
    worse = [key for key in ("gap", "kid") if means["ada"][key] >= means["none"][key]]
    if worse:
        sys.exit(f"Not better with augmentation: {', '.join(worse)}. Means over the seeds: {means}.")


def reached(out: Path, augment: Literal["none", "ada"], seed: int, classifier: Path) -> dict[str, float]:
    """The held-out gap of the discriminator and the distance of what is drawn, at the end of a run."""
    started = time.process_time()
    finished_run(
        Train(
            model="gan/dcgan",
            data=DATA,
            out=out,
            kimg=KIMG,
            seed=seed,
            augment=augment,
            set=(*SETTINGS, f"augment_kimg={ADAPT_KIMG}", "measure_kimg=-1", "sample_kimg=1000", "keep_last=9"),
            quiet=True,
        )
    )
    seconds = time.process_time() - started
    last = RunFolder(out).lines("log.jsonl")[-1]
    return {
        "gap": told_apart(verdicts(out, DATA), verdicts(out, UNSEEN)) - 0.5,
        "kid": kid(out, classifier),
        "p": last.get("augment_p", 0.0),
        "kimg": KIMG,
        "cpu_sec": round(seconds, 1),
        "threads": 1,
    }


def verdicts(run: Path, source: str) -> torch.Tensor:
    """How real the discriminator finds each picture of a source."""
    trained = load(run)
    packed = prepare(source, size=(trained.height, trained.width), channels=trained.channels, quiet=True)
    pictures = torch.from_numpy(packed.read(range(len(packed)))).permute(0, 3, 1, 2)
    return trained.judge(pictures)


def kid(run: Path, classifier: Path, *, kimg: float | None = None) -> float:
    """The kernel distance to scenes that nobody trained on."""
    task = Measure(a=str(run), b=REFERENCE, metrics=("kid",), n=2000, features=str(classifier), kimg=kimg)
    return next(result.value for result in measure(task).results if result.metric == "kid")


if __name__ == "__main__":
    main()
