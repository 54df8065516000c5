"""The gate of CycleGAN: day and night are translated into each other, learnt without pairs, and judged with pairs.

Trains ``--preset small`` on 2,000 scenes by day and 2,000 other scenes by night, and translates 500 places that neither
set holds, painted both by day and by night. What is compared is the mean squared error of the whole set, in decibels:
above what needs no learning (the picture as it is; the linear map between the colours of both sets), and above the
network untrained and twins that are wrong on purpose (no cycle loss; generators judged by the discriminator of the
other kind). Day to night cannot pass 27.5 dB, as nothing in a day tells the stars of its night.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_cyclegan [--kimg K] [--keep FOLDER]``; about 5 minutes of one core.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import torch
from benchmarks.gates.gate_munit import untrained
from benchmarks.gates.preset_run import finished_run

from benchmarks import history
from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.results import Result
from ganvas.core.shapes import Bytes, Images
from ganvas.data.packing import prepare
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.capabilities import Translates
from ganvas.losses.game import Terms
from ganvas.metrics.maths.pairs.colour_transport import ColourTransport, colour_moments
from ganvas.metrics.measuring.flow import measure
from ganvas.models.translate.cyclegan import A_TO_B, B_TO_A, Model
from ganvas.tasks.train import Train
from ganvas.train.trained import load

DAY, NIGHT = "scenes:2000,32x32,time=day,seed=1", "scenes:2000,32x32,time=night,seed=2"
TEST_DAY, TEST_NIGHT = "scenes:500,32x32,time=day,seed=9", "scenes:500,32x32,time=night,seed=9"
WANTED = {A_TO_B: 20.0, B_TO_A: 17.0}  # Decibels.
Translator = Callable[[Images, str], Images]


def main() -> None:
    """Trains, measures, records; ends with an error where a floor is not passed, or a twin passes."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kimg", type=float, default=5.0, help="thousands of pictures; twins are shown a fifth")
    arguments.add_argument("--keep", type=Path, help="where the run is to stay; it is removed where left out")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    _note("identity", decibels(lambda images, direction: images))
    _note("linear colours", decibels(colour_transport()))
    twins = {"untrained": _note("untrained", decibels(untrained("translate/cyclegan").translate))}
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        wrong = trained(temporary / "wrong", given.kimg / 5, "cycle_weight=0", "identity_weight=0")
        twins["no cycle loss"] = _note("no cycle loss", of_run(wrong), kimg=given.kimg / 5)
        with mock.patch.object(Model, "_generator_loss", judged_by_the_other(Model._generator_loss)):
            wrong = trained(temporary / "exchanged", given.kimg / 5)
        name = "discriminators exchanged"
        twins[name] = _note(name, of_run(wrong), kimg=given.kimg / 5)
        started = time.process_time()
        run = trained(given.keep or temporary / "run", given.kimg)
        seconds = time.process_time() - started
        found = _note("cyclegan", of_run(run), kimg=given.kimg, cpu_sec=seconds, threads=1)
    failed = [f"{way}: {value:.2f} dB are below {WANTED[way]}" for way, value in found.items() if value < WANTED[way]]
    failed += [f"{name} passes" for name, twin in twins.items() if all(twin[way] >= WANTED[way] for way in WANTED)]
    if failed:
        sys.exit("; ".join(failed))


def judged_by_the_other(loss: Callable[[Model, Domains], Terms]) -> Callable[[Model, Domains], Terms]:
    """The generators' loss with the discriminators of both kinds exchanged: a night is to pass for a day."""

    def exchanged(model: Model, batch: Domains) -> Terms:
        judges = model.discriminators
        judges["a"], judges["b"] = judges["b"], judges["a"]
        try:
            return loss(model, batch)
        finally:
            judges["a"], judges["b"] = judges["b"], judges["a"]

    return exchanged


def of_run(run: Path) -> dict[str, float]:
    """The decibels of a run's model, both ways."""
    return decibels(load(run).require(Translates).translate)


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


def _note(translator: str, found: dict[str, float], **also: float) -> dict[str, float]:
    """Records one row and gives it back."""
    day_to_night, night_to_day = found[A_TO_B], found[B_TO_A]
    history.record(
        "gate.cyclegan",
        {"translator": translator, "day_to_night_db": day_to_night, "night_to_day_db": night_to_day, **also},
    )
    return found


if __name__ == "__main__":
    main()
