"""The gate of CycleGAN: day and night are translated into each other, learnt without pairs, and judged with pairs.

Trains ``--preset small`` on 2,000 scenes by day and 2,000 other scenes by night, and translates 500 places that neither
set holds, painted both by day and by night. What is compared is the mean squared error of the whole set, in decibels:
above what needs no learning (the picture as it is; the linear map between the colours of both sets), and above a twin
that is wrong on purpose (no cycle loss). Day to night cannot pass 27.5 dB, as nothing in a day tells the stars of its
night.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_cyclegan [--keep FOLDER]``; about 4 minutes of one processor core.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from benchmarks.gates.preset_run import finished_run

from benchmarks import history
from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.results import Result
from ganvas.core.shapes import Bytes, Images
from ganvas.data.packing import prepare
from ganvas.losses.capabilities import Translates
from ganvas.metrics.maths.colour_transport import ColourTransport, colour_moments
from ganvas.metrics.measuring.flow import measure
from ganvas.models.translate.cyclegan import A_TO_B, B_TO_A
from ganvas.tasks.train import Train
from ganvas.train.trained import load

DAY, NIGHT = "scenes:2000,32x32,time=day,seed=1", "scenes:2000,32x32,time=night,seed=2"
TEST_DAY, TEST_NIGHT = "scenes:500,32x32,time=day,seed=9", "scenes:500,32x32,time=night,seed=9"
WANTED = {A_TO_B: 20.0, B_TO_A: 17.0}  # Decibels.
KIMG, WRONG_KIMG = 5.0, 1.0
Translator = Callable[[Images, str], Images]


def main() -> None:
    """Trains, measures, records; ends with an error where a floor is not passed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--keep", type=Path, help="where the run is to stay; it is removed where left out")
    kept = arguments.parse_args().keep
    torch.set_num_threads(1)
    _note("identity", decibels(lambda images, direction: images))
    _note("linear colours", decibels(colour_transport()))
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        wrong = trained(temporary / "wrong", WRONG_KIMG, "cycle_weight=0", "identity_weight=0")
        _note("no cycle loss", decibels(load(wrong).require(Translates).translate), kimg=WRONG_KIMG)
        started = time.process_time()
        run = trained(kept or temporary / "run", KIMG)
        seconds = time.process_time() - started
        found = decibels(load(run).require(Translates).translate)
        _note("cyclegan", found, kimg=KIMG, cpu_sec=seconds, threads=1)
    failed = {direction: value for direction, value in found.items() if value < WANTED[direction]}
    if failed:
        sys.exit(f"Below the gate of {WANTED}: {failed}")


def trained(out: Path, kimg: float, *changes: str) -> Path:
    """A run of the small preset, on one thread."""
    return finished_run(
        Train(
            model="translate/cyclegan",
            data=DAY,
            other=NIGHT,
            out=out,
            preset="small",
            kimg=kimg,
            set=("measure_kimg=-1", *changes),
        )
    )


@torch.no_grad()
def decibels(translate: Translator) -> dict[str, float]:
    """PSNR of the mean error of the test set, both ways."""
    day, night = pictures(TEST_DAY), pictures(TEST_NIGHT)
    found = {}
    for direction, source, truth in ((A_TO_B, day, night), (B_TO_A, night, day)):
        made = torch.cat([to_bytes(translate(to_float(part), direction)) for part in source.split(100)])
        found[direction] = db_of_mean_error(truth, made).value
    return found


def db_of_mean_error(truth: Bytes, made: Bytes) -> Result:
    """PSNR of the mean error of all pictures, with its standard error."""
    results = measure(
        iter(truth.split(100)), iter(made.split(100)), metrics=["psnr"], n=len(truth), floor=False
    ).results
    return next(result for result in results if result.metric == "psnr.of_mean_error")


def colour_transport() -> Translator:
    """The linear map between the colours of the training sets, each way."""
    day, night = (colour_moments([to_float(pictures(spec))], 3) for spec in (DAY, NIGHT))
    ways = {A_TO_B: ColourTransport(day, night), B_TO_A: ColourTransport(night, day)}
    return lambda images, direction: ways[direction](images)


def pictures(spec: str) -> Bytes:
    """All pictures of a source, (n, 3, h, w)."""
    return torch.from_numpy(prepare(spec, quiet=True).read(slice(None)).copy()).permute(0, 3, 1, 2)


def _note(translator: str, found: dict[str, float], **also: float) -> None:
    day_to_night, night_to_day = found[A_TO_B], found[B_TO_A]
    history.record(
        "gate.cyclegan",
        {"translator": translator, "day_to_night_db": day_to_night, "night_to_day_db": night_to_day, **also},
    )


if __name__ == "__main__":
    main()
