"""The gate of half an hour on a laptop: ``gan/progan --preset cifar10-laptop``, what it costs and what it reaches.

Trains it on CIFAR-10 and measures SWD and KID of 4,096 pictures to pictures that were trained on, KID through a
classifier that was taught on the 10,000 test pictures; beside them stand the floors, reals against other reals. Wanted:
half an hour of one processor core at most. Of quality nothing was wanted beforehand: the figures are the record.

``OMP_NUM_THREADS=1 GANVAS_TEST_DATA=FOLDER python -m benchmarks.gates.gate_laptop``; about 30 minutes of one core, and
where ``GANVAS_GATE_RUNS`` names a folder, a run that was stopped goes on there.
"""

import os
import sys
from pathlib import Path

import torch
from benchmarks.gates.preset_run import finished_run, runs_of

from benchmarks import history
from ganvas.core.run_folder import RunFolder
from ganvas.tasks.catalogues import features
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train

PRESET, MOST_SECONDS, PICTURES, EPOCHS = "cifar10-laptop", 1800.0, 4096, 4


def main() -> None:
    """Trains, measures, records, and ends with an error where it took longer than wanted."""
    torch.set_num_threads(1)
    archive = Path(os.environ.get("GANVAS_TEST_DATA", ".")) / "cifar10-jpg.tar.xz"
    if not archive.exists():
        sys.exit(f"GANVAS_TEST_DATA names no folder with {archive.name}.")
    with runs_of("laptop") as folder:
        task = Train(model="gan/progan", preset=PRESET, data=f"{archive}::train", out=folder / "cifar", quiet=True)
        run = finished_run(task)
        seconds = RunFolder(run).lines("cost.jsonl")[-1]["seconds"]
        told = {"run_sec": round(seconds), "most_sec": MOST_SECONDS, "threads": 1}
        history.record(f"gate_laptop.{PRESET}", told | distances("swd", run, task.data, "untrained"))
        network = judge(f"{archive}::test", folder / "judge.safetensors")
        history.record(f"gate_laptop.{PRESET}.kid", distances("kid", run, task.data, str(network)))
    if seconds > MOST_SECONDS:
        sys.exit(f"It took {seconds:.0f} s of one core, {MOST_SECONDS:.0f} were to be enough.")


def judge(source: str, out: Path) -> Path:
    """A classifier of the ten classes; one that is there is taken."""
    if not out.exists():
        features.train(features.Train(source=source, out=out, epochs=EPOCHS), quiet=True)
    return out


def distances(metric: str, run: Path, reals: str, network: str) -> dict[str, float]:
    """A distance with its error, and the same of reals in the place of the run's pictures."""
    found = measure(Measure(a=str(run), b=reals, n=PICTURES, metrics=(metric,), features=network, quiet=True))
    values: dict[str, float] = {"n": PICTURES}
    for name, results in ((metric, found.results), (f"floor_{metric}", found.floor)):
        for one in results:
            if one.metric == metric:
                values[name] = one.value
                values |= {f"{name}_error": one.standard_error} if one.standard_error is not None else {}
    return values


if __name__ == "__main__":
    main()
