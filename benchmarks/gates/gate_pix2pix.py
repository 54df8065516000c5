"""The gate of pix2pix: nights become days and days become nights, learnt from pairs.

Trains ``translate/pix2pix --preset small`` each way on 2,000 scenes that are painted by night and by day, and
translates 500 other places. What is compared is the mean squared error of the whole set, in decibels.

- Night to day must pass 26.5 dB. Floors that need no learning stand beside it: the picture as it is, the mean of all
  truths, and the mean truth of every colour (32 levels of each channel).
- Day to night must pass 24.4 dB, what colours tell, and must not pass 27.5 dB: nothing in a day tells the stars and the
  phase of the moon of its night, so that more means that they leaked into the test. The *ceiling* is the mean of many
  nights of a place with other stars and moons. A translator that is told the stars must be caught.

Beside both ways stand the network before training and a twin that is wrong on purpose, trained for a quarter as long:
each picture has the next one's truth.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_pix2pix [--way WAY] [--kimg K] [--keep FOLDER]``; about 4 minutes of
one processor core for each way.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from benchmarks.gates.gate_cyclegan import db_of_mean_error
from benchmarks.gates.gate_munit import untrained
from benchmarks.gates.preset_run import finished_run, runs_of

from benchmarks import history
from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.seeds import torch_seeded
from ganvas.core.shapes import Bytes
from ganvas.data.scenes.scenes import TIMES, Scenes, paint
from ganvas.losses.capabilities import Translates
from ganvas.metrics.maths.pairs.colour_table import ColourMeans
from ganvas.models.translate.pix2pix import TO_TARGET
from ganvas.tasks.train import Train
from ganvas.train.trained import load

SIDE, TRAINED, TESTED, SKIES = 32, 2000, 500, 32
DAY_TO_NIGHT, NIGHT_TO_DAY = "day-to-night", "night-to-day"
LEAST = {NIGHT_TO_DAY: 26.5, DAY_TO_NIGHT: 24.4}  # Decibels.
MOST = 27.5  # Of day to night.


@dataclass(frozen=True)
class Pairs:
    """Pictures and their truths, (n, 3, h, w)."""

    shown: Bytes
    truth: Bytes


def main() -> None:
    """Trains, measures, records; ends with an error where a way does not pass, or what leaks is not caught."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--way", choices=tuple(LEAST), help="one of both; both where left out")
    arguments.add_argument("--kimg", type=float, default=40.0, help="thousands of pairs that each is shown")
    arguments.add_argument("--keep", type=Path, help="where the runs are to stay, and go on; removed where left out")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    failed: list[str] = []
    with runs_of("gate.pix2pix", keep=given.keep) as folder:
        for way in (given.way,) if given.way else LEAST:
            failed += gate(way, folder, given.kimg)
    if failed:
        sys.exit("; ".join(failed))


def gate(way: str, folder: Path, kimg: float) -> list[str]:
    """Floors, twins and the model of one way; what is not passed."""
    train, test = pairs(way, TRAINED, seed=1), pairs(way, TESTED, seed=9)
    note = partial(noted, way, test.truth)
    note("identity", test.shown)
    note("mean truth", to_bytes(to_float(train.truth).mean(0, keepdim=True)).expand_as(test.truth))
    note("mean of every colour", by_colour(train, test.shown))
    note("untrained", translated(untrained("translate/pix2pix"), test.shown))
    shifted = Pairs(train.shown, train.truth.roll(1, 0))
    note(
        "pairs shifted by one",
        translated(trained(folder / f"{way}-shifted", shifted, kimg / 4), test.shown),
        kimg=kimg / 4,
    )
    started = time.process_time()
    model = trained(folder / way, train, kimg)
    found = note("pix2pix", translated(model, test.shown), kimg=kimg, cpu_sec=time.process_time() - started)
    failed = [f"{way}: {found:.2f} dB are not above {LEAST[way]}"] if found <= LEAST[way] else []
    if way == DAY_TO_NIGHT:
        note("ceiling", mean_night(TESTED, ("star_seed", "moon_phase"), seed=9))
        if found > MOST:
            failed.append(f"{way}: {found:.2f} dB are above {MOST}, which no day tells")
        if note("told the stars", mean_night(TESTED, ("moon_phase",), seed=9)) <= MOST:
            failed.append(f"{way}: a translator that is told the stars is not caught")
    return failed


def pairs(way: str, count: int, *, seed: int) -> Pairs:
    """Places by day and by night, as the way has them."""
    factors = Scenes(SIDE, SIDE, count=count, seed=seed).factors(np.arange(count))
    day, night = (
        painted(factors | {"time": np.full(count, TIMES.index(when), np.float32)}) for when in ("day", "night")
    )
    return Pairs(day, night) if way == DAY_TO_NIGHT else Pairs(night, day)


def mean_night(count: int, redrawn: tuple[str, ...], *, seed: int) -> Bytes:
    """The mean of nights of the same places in which some factors are those of other places."""
    factors = Scenes(SIDE, SIDE, count=count, seed=seed).factors(np.arange(count))
    factors |= {"time": np.full(count, TIMES.index("night"), np.float32)}
    total = torch.zeros(count, 3, SIDE, SIDE, dtype=torch.int64)
    for sky in range(SKIES):
        others = Scenes(SIDE, SIDE, count=count, seed=1000 + sky).factors(np.arange(count))
        total += painted(factors | {name: others[name] for name in redrawn})
    return (total / SKIES).round().byte()


def painted(factors: dict[str, np.ndarray]) -> Bytes:
    """Scenes of factors, (n, 3, h, w)."""
    pixels, _ = paint(factors, SIDE, SIDE)
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)


def by_colour(train: Pairs, shown: Bytes) -> Bytes:
    """The mean truth of each pixel's coarse colour."""
    table = ColourMeans(3, 3)
    table.add(train.shown, train.truth)
    return table.painted(shown)


def trained(out: Path, data: Pairs, kimg: float) -> Translates:
    """A run of the small preset on pairs."""
    for kind, pictures in (("shown", data.shown), ("truth", data.truth)):
        np.save(out.with_name(f"{out.name}-{kind}.npy"), pictures.permute(0, 2, 3, 1).contiguous().numpy())
    run = finished_run(
        Train(
            model="translate/pix2pix",
            data=str(out.with_name(f"{out.name}-shown.npy")),
            target=str(out.with_name(f"{out.name}-truth.npy")),
            out=out,
            preset="small",
            kimg=kimg,
            set=("measure_kimg=-1", "sample_kimg=100"),
            quiet=True,
        )
    )
    return load(run).require(Translates)


@torch.no_grad()
def translated(model: Translates, shown: Bytes) -> Bytes:
    """Translations, with the noise of one seed."""
    with torch_seeded(0):
        return torch.cat([to_bytes(model.translate(to_float(part), TO_TARGET)) for part in shown.split(100)])


def noted(way: str, truth: Bytes, translator: str, made: Bytes, **also: float) -> float:
    """Records the decibels of the mean error of a translator, and gives them back."""
    found = db_of_mean_error(truth, made.contiguous())
    history.record(
        "gate.pix2pix", {"way": way, "translator": translator, "db": found.value, "se": found.standard_error, **also}
    )
    return found.value


if __name__ == "__main__":
    main()
