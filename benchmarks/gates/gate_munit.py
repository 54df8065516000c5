"""The gate of translation to many: a day has a dusk and a night, and a drawn style says which.

Trains ``translate/munit --preset small`` on 1,500 scenes by day and on other scenes of which half are dusks and half
nights, without pairs. 200 places that were not trained on are translated with 12 drawn styles each. Asked is

- that styles matter as much as times of day do: the variance of pixels over styles, over that between the true dusk and
  the true night of a place (0 where the style is ignored);
- that a style is found again in what was made of it: the correlation of numbers drawn and numbers found;
- that places stay: decibels of the mean squared error to the nearer of the two truths, beside the picture as it is and
  the linear map between the colours of both sets, which need no learning.

Beside it stand the network before training, a CycleGAN, which has no style to be drawn, and a twin that is wrong on
purpose, trained for a quarter as long: nothing asks for a style to be found again.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_munit [--kimg K] [--keep FOLDER]``; about 7 minutes of one core.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from benchmarks.gates.preset_run import finished_run, runs_of
from torch import Tensor

from benchmarks import history
from ganvas.core import catalogue
from ganvas.core.pixels import to_float
from ganvas.core.seeds import stream, torch_seeded
from ganvas.core.shapes import Images
from ganvas.data.scenes.scenes import TIMES, Scenes, paint
from ganvas.losses.capabilities import TakesStyle, Translates
from ganvas.metrics.maths.pairs.colour_transport import ColourTransport, colour_moments
from ganvas.nn.layers.initialise import initialise
from ganvas.tasks.train import Train
from ganvas.train.trained import load

SIDE, TRAINED, TESTED, STYLES = 32, 1500, 200, 12
VARIANCE, FOUND = (0.5, 1.5), 0.8
DIRECTION = "a-to-b"
Way = Callable[[Images], Images]


@dataclass(frozen=True)
class Places:
    """The same places at three times, (n, 3, h, w) in [-1, 1]."""

    day: Tensor
    dusk: Tensor
    night: Tensor


def main() -> None:
    """Trains, measures, records; ends with an error where a floor is not passed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kimg", type=float, default=3.0, help="thousands of pictures that it is shown")
    arguments.add_argument("--keep", type=Path, help="where the runs are to stay; removed where left out")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    test = places(TESTED, seed=9)
    note("identity", varied(test, lambda day: day))
    floor = note("linear colours", varied(test, ColourTransport(*(colour_moments([kind], 3) for kind in kinds()))))
    for name in ("translate/munit", "translate/cyclegan"):
        model = untrained(name)
        note(f"{name} untrained", varied(test, lambda day, of=model: of.translate(day, DIRECTION)))
    with runs_of("gate.munit", keep=given.keep) as folder:
        twin_kimg = given.kimg / 4
        examined("munit, no style found again", trained(folder, "twin", twin_kimg, "style_weight=0"), test, twin_kimg)
        found = examined("munit", trained(folder, "run", given.kimg), test, given.kimg)
    failed = {
        f"variance {found['variance']:.2f} is outside of {VARIANCE}": not VARIANCE[0]
        <= found["variance"]
        <= VARIANCE[1],
        f"styles are found again with r {found['r']:.2f} < {FOUND}": found["r"] < FOUND,
        f"{found['db']:.1f} dB, and linear colours have {floor['db']:.1f}": found["db"] <= floor["db"],
    }
    if any(failed.values()):
        sys.exit("; ".join(said for said, missed in failed.items() if missed))


def places(count: int, *, seed: int) -> Places:
    """Scenes at all times."""
    factors = Scenes(SIDE, SIDE, count=count, seed=seed).factors(np.arange(count))
    painted = []
    for time_of_day in ("day", "dusk", "night"):
        when = np.full(count, TIMES.index(time_of_day), np.float32)
        pixels, _ = paint(factors | {"time": when}, SIDE, SIDE)
        painted.append(to_float(torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)))
    return Places(*painted)


def kinds() -> tuple[Tensor, Tensor]:
    """Training pictures of both kinds: days, and the dusks and nights of other places."""
    others = places(TRAINED, seed=2)
    half = TRAINED // 2
    return places(TRAINED, seed=1).day, torch.cat([others.dusk[:half], others.night[half:]])


def trained(folder: Path, name: str, kimg: float, *changes: str) -> TakesStyle:
    """A run between both kinds."""
    for kind, pictures in zip("ab", kinds(), strict=True):
        pixels = ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
        np.save(folder / f"{kind}.npy", pixels.contiguous().numpy())
    run = finished_run(
        Train(
            model="translate/munit",
            data=str(folder / "a.npy"),
            other=str(folder / "b.npy"),
            out=folder / name,
            preset="small",
            kimg=kimg,
            set=("measure_kimg=-1", "sample_kimg=100", *changes),
            quiet=True,
        )
    )
    return load(run).require(TakesStyle)


def untrained(name: str) -> Translates:
    """A model of the small preset as it starts."""
    model = catalogue.load("models", name).Model(catalogue.preset(name, "small").config)
    initialise(model, stream(0, "weights"))
    return model.eval()


def examined(name: str, model: TakesStyle, test: Places, kimg: float) -> dict[str, float]:
    """A trained model's figures, noted."""
    started = time.process_time()
    found = varied(test, lambda day: model.translate(day, DIRECTION)) | {"r": found_again(test, model)}
    return note(name, found, kimg=kimg, examined_cpu_sec=time.process_time() - started)


@torch.no_grad()
def varied(test: Places, way: Way) -> dict[str, float]:
    """The variance of pixels over draws, over that of the two truths; decibels to the nearer truth."""
    made = []
    for draw in range(STYLES):
        with torch_seeded(draw):
            made.append(torch.cat([way(part) for part in test.day.split(100)]))
    draws = torch.stack(made)  # (styles, n, 3, h, w)
    true = ((test.dusk - test.night) / 2).square().mean()
    errors = torch.stack([((draws - truth) / 2).square().mean((2, 3, 4)) for truth in (test.dusk, test.night)])
    nearer = errors.amin(0).mean()
    return {"variance": float(draws.var(0, correction=0).mean() / true), "db": -10 * float(nearer.log10())}


@torch.no_grad()
def found_again(test: Places, model: TakesStyle) -> float:
    """The correlation of styles that were drawn with those found in what was made of them."""
    day = test.day[:100]
    drawn = torch.randn(len(day), model.style_of(day[:1], DIRECTION).shape[1], generator=stream(1, "styles"))
    found = model.style_of(model.styled(day, drawn, DIRECTION), DIRECTION)
    return float(torch.corrcoef(torch.stack([drawn.flatten(), found.flatten()]))[0, 1])


def note(translator: str, found: dict[str, float], **also: float) -> dict[str, float]:
    """Records one row and gives it back."""
    history.record("gate.munit", {"translator": translator, **found, **also})
    return found


if __name__ == "__main__":
    main()
