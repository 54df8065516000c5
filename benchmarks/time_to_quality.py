"""Quality against time: what training reaches after so many seconds of one processor core, ours and of others.

Each entrant is a preset that is trained on scenes of 32x32 pixels, stopped when its steps have taken the next of the
``--seconds``, measured, and resumed, which changes nothing in it. Measuring is not counted. SWD and KID (through a
classifier of the kinds of scene) of 2,048 pictures against scenes that nobody trained on; every moment becomes a line
of ``history.jsonl``.

Another program takes part with the pictures that it drew: ``--pictures NAME=FOLDER`` names a folder with one folder of
pictures for each moment, whose name is the number of seconds. It should be trained on the same scenes
(``ganvas data export scenes:20000,32x32``), on one thread, on the same machine in the same hour.

``OMP_NUM_THREADS=1 python -m benchmarks.time_to_quality [MODEL:PRESET ...] [--seconds 60 120 300] [--pictures N=F]``
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from benchmarks import history
from ganvas.core.listener import Listener, Report
from ganvas.core.progress import listening
from ganvas.tasks import features
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train, TrainResult, train

DATA, JUDGED, REALS = "scenes:20000,32x32", "scenes:6000,32x32,seed=1", "scenes:6000,32x32,seed=2"
ENTRANTS, SECONDS, PICTURES = ("gan/progan:demo", "gan/progan:small", "gan/dcgan:small"), (60.0, 120.0, 300.0), 2048
METRICS = ("swd", "kid")
QUIET = ("measure_kimg=-1", "health_kimg=-1", "sample_kimg=1000000", "keep_last=1")


class UntilTime(Listener):
    """Nobody is told anything; work is asked to stop when this process has computed for so long."""

    def __init__(self, seconds: float) -> None:
        self.end = time.process_time() + seconds

    def message(self, text: str) -> None: ...

    @contextmanager
    def bar(self, title: str, total: float, unit: str) -> Iterator[Report]:
        yield lambda done, note="", left=None: None

    @contextmanager
    def stoppable(self) -> Iterator[Callable[[], bool]]:
        yield lambda: time.process_time() >= self.end


def main() -> None:
    """Trains and measures every entrant, and measures what others drew."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("entrants", nargs="*", metavar="MODEL:PRESET", help=f"where left out: {', '.join(ENTRANTS)}")
    arguments.add_argument("--seconds", type=float, nargs="+", default=SECONDS, help="of processor time: the moments")
    arguments.add_argument("--pictures", nargs="*", default=(), metavar="NAME=FOLDER", help="what others drew")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        judge = Path(temporary) / "judge.safetensors"
        features.train(features.Train(source=JUDGED, out=judge, epochs=4))
        history.record("time_to_quality.reals", measured("scenes:6000,32x32,seed=3", judge))
        for entrant in given.entrants or ENTRANTS:
            follow(entrant, Path(temporary) / entrant.replace("/", "-").replace(":", "-"), judge, given.seconds)
        for name, folder in (one.split("=", 1) for one in given.pictures):
            for moment in sorted(Path(folder).iterdir(), key=lambda folder: float(folder.name)):
                values = {"cpu_sec": float(moment.name)} | measured(str(moment), judge)
                history.record(f"time_to_quality.{name}", values)


def follow(entrant: str, run: Path, judge: Path, moments: Sequence[float]) -> None:
    """One entrant at each moment, or until its run ends."""
    model, preset = entrant.split(":")
    spent = 0.0
    for moment in sorted(moments):
        started = time.process_time()
        with listening(UntilTime(moment - spent)):
            done = go_on(model, preset, run)
        spent += time.process_time() - started
        values = {"cpu_sec": round(spent, 1), "kimg": done.kimg, "threads": 1, "data": DATA}
        history.record(f"time_to_quality.{entrant}", values | measured(str(run), judge))
        if done.finished:
            break


def go_on(model: str, preset: str, run: Path) -> TrainResult:
    """Trains until it is asked to stop, or from there on."""
    return train(
        Train(
            model=model,
            data=DATA,
            out=run,
            preset=preset,
            set=QUIET,
            threads=1,
            device="cpu",
            estimate=False,
            quiet=True,
        )
    )


def measured(drawn: str, judge: Path) -> dict[str, float]:
    """SWD and KID with their errors."""
    found = measure(Measure(a=drawn, b=REALS, n=PICTURES, metrics=METRICS, features=str(judge), quiet=True)).results
    kept = {one.metric: one for one in found if one.metric in METRICS}
    errors = {f"{name}_error": one.standard_error for name, one in kept.items() if one.standard_error is not None}
    return {name: one.value for name, one in kept.items()} | errors


if __name__ == "__main__":
    main()
