"""Quality against time: what training reaches after so many seconds of one processor core, ours and of others.

Each entrant is a preset, with settings changed where some are named (``gan/progan:small:lr=2e-3,fmap_max=32``). It is
trained on scenes, stopped when its steps have taken the next of the ``--seconds``, measured, and resumed, which changes
nothing in it; measuring is not counted. Where a model grows, its growth is laid out over the preset's length or over
``--kimg``, so a moment before the end is of a model that still grows. SWD and KID (through a classifier of the kinds of
scene) of 1,024 pictures against scenes that nobody trained on; every moment becomes a line of ``history.jsonl``. The
classifier takes minutes: ``--judge FILE`` keeps it for the next time, and ``--metrics swd`` does without.

Another program takes part with the pictures that it drew: ``--pictures NAME=FOLDER`` names a folder with one folder of
pictures for each moment, whose name is the number of seconds. It should be trained on the same scenes
(``ganvas data export scenes:20000,32x32``), on one thread, on the same machine in the same hour.

``OMP_NUM_THREADS=1 python -m benchmarks.time_to_quality [MODEL:PRESET[:CHANGES] ...] [--seconds 60 120 300] [--kimg K]
[--side 32] [--metrics swd kid] [--judge FILE] [--pictures NAME=FOLDER ...]``
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks import history
from ganvas.core.process.listener import Listener, Report
from ganvas.core.progress import listening
from ganvas.tasks.catalogues import features
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train, TrainResult, train

ENTRANTS, SECONDS = ("gan/progan:small", "gan/dcgan:small"), (60.0, 120.0, 300.0)
PICTURES, METRICS = 1024, ("swd", "kid")
QUIET = ("measure_kimg=-1", "health_kimg=-1", "sample_kimg=1000000", "keep_last=1")


@dataclass(frozen=True)
class Contest:
    """What is the same for all: the scenes, the judge, and the moments."""

    side: int
    judge: Path
    moments: Sequence[float]
    kimg: float | None
    metrics: tuple[str, ...] = METRICS

    def scenes(self, seed: int, *, number: int = 4000) -> str:
        """A set of scenes; of one seed they are the same ones."""
        return f"scenes:{number},{self.side}x{self.side},seed={seed}"

    def measured(self, drawn: str) -> dict[str, float]:
        """SWD and KID with their errors, against scenes that nobody trained on."""
        seen_by = str(self.judge) if "kid" in self.metrics else "untrained"
        task = Measure(
            a=drawn, b=self.scenes(2), n=PICTURES, metrics=self.metrics, features=seen_by, device="cpu", quiet=True
        )
        kept = {one.metric: one for one in measure(task).results if one.metric in self.metrics}
        errors = {f"{name}_error": one.standard_error for name, one in kept.items() if one.standard_error is not None}
        return {name: one.value for name, one in kept.items()} | errors


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
    arguments.add_argument("entrants", nargs="*", default=ENTRANTS, metavar="MODEL:PRESET[:CHANGES]")
    arguments.add_argument("--seconds", type=float, nargs="+", default=SECONDS, help="of processor time: the moments")
    arguments.add_argument("--kimg", type=float, help="the length that growth is laid out over; the preset's by itself")
    arguments.add_argument("--side", type=int, default=32, help="of the pictures")
    arguments.add_argument("--pictures", nargs="*", default=(), metavar="NAME=FOLDER", help="what others drew")
    arguments.add_argument("--metrics", nargs="+", default=METRICS, choices=METRICS)
    arguments.add_argument("--judge", type=Path, help="where the classifier is kept; one that is there is taken")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        judge = given.judge or folder / "judge.safetensors"
        contest = Contest(given.side, judge, sorted(given.seconds), given.kimg, tuple(given.metrics))
        if "kid" in given.metrics and not judge.exists():
            features.train(features.Train(source=contest.scenes(1), out=judge, epochs=4))
        history.record("time_to_quality.reals", {"side": given.side} | contest.measured(contest.scenes(3)))
        for number, entrant in enumerate(given.entrants):
            follow(entrant, folder / str(number), contest)
        for name, drawn in (one.split("=", 1) for one in given.pictures):
            judge_others(name, Path(drawn), contest)


def follow(entrant: str, run: Path, contest: Contest) -> None:
    """One entrant at each moment, or until its run ends."""
    spent = 0.0
    for moment in contest.moments:
        started = time.process_time()
        with listening(UntilTime(moment - spent)):
            done = go_on(entrant, run, contest)
        spent += time.process_time() - started
        told = {"cpu_sec": round(spent, 1), "kimg": done.kimg, "side": contest.side, "threads": 1}
        history.record(f"time_to_quality.{entrant}", told | contest.measured(str(run)))
        if done.finished:
            break


def go_on(entrant: str, run: Path, contest: Contest) -> TrainResult:
    """Trains until it is asked to stop, or from there on."""
    model, preset, *changes = entrant.split(":", 2)
    return train(
        Train(
            model=model,
            data=contest.scenes(0, number=20_000),
            out=run,
            preset=preset,
            kimg=contest.kimg,
            set=(*QUIET, *(change for text in changes for change in text.split(","))),
            threads=1,
            device="cpu",
            estimate=False,
            quiet=True,
        )
    )


def judge_others(name: str, drawn: Path, contest: Contest) -> None:
    """What another program drew at each moment."""
    for moment in sorted(drawn.iterdir(), key=lambda folder: float(folder.name)):
        told = {"cpu_sec": float(moment.name), "side": contest.side}
        history.record(f"time_to_quality.{name}", told | contest.measured(str(moment)))


if __name__ == "__main__":
    main()
