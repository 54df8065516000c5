"""The limit of one-to-one translation, by numbers: what a CycleGAN does with stars that the other kind has not.

Nights without stars and nights with stars are translated into each other. Many starry nights have one night without, so
a translator that removes stars cannot bring the same ones back, and the cycle loss asks for just that. What it does
with them is measured on nights that were not trained on: visibility b of the stars in the intermediate picture,
recovery r after the way back, r0 by chance, and r after noise of 1, 2 and 5 levels on the intermediate picture. Beside
it stand three constructed translators: honest, lazy, hiding.

``--model`` names another than CycleGAN. Those that draw a latent are given the same latents for all that is compared.
``translate/cut`` goes one way: it is trained to take stars away, and only b can be measured of it.

Ends with an error where the constructed three are not told apart, where a model without noise draws more than one sky
of one night, or where one with latents draws but one.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_hiding [--model M] [--kimg K] [--noise LEVELS] [--keep FOLDER]``;
about 5 minutes of one core.
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
from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.seeds import stream, torch_seeded
from ganvas.data.scenes.scenes import Scenes, paint
from ganvas.losses.capabilities import Translates
from ganvas.metrics.maths.pairs.hidden_signal import HiddenSignal, correlation, slope
from ganvas.models.translate.cyclegan import A_TO_B, B_TO_A
from ganvas.tasks.train import Train
from ganvas.train.trained import load

SIDE, SKIES, TRAINED, TESTED = 32, 12, 1500, 300
NOISES = (1.0, 2.0, 5.0)  # Levels.
CYCLEGAN, ONE_WAY = "translate/cyclegan", "translate/cut"
DRAWS = ("translate/augmented_cyclegan", "translate/munit")  # They draw what the other kind does not tell.
MODELS = (CYCLEGAN, *DRAWS, ONE_WAY)
STRENGTH, BRIGHT = 2.0, 45.0  # Of the constructed translator that hides, in levels; and of a star.
Way = Callable[[Tensor], Tensor]  # Pictures (n, 3, h, w) of levels 0 to 255, as floats.


@dataclass(frozen=True)
class Nights:
    """Nights of some places, as floats of levels: with stars, without, and where the sky is."""

    starry: Tensor
    bare: Tensor
    day: Tensor
    sky: Tensor

    @property
    def stars(self) -> Tensor:
        """The signal alone."""
        return self.starry - self.bare


def main() -> None:
    """Trains, measures, records; ends with an error where the constructed translators are not told apart."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", choices=MODELS, default=CYCLEGAN)
    arguments.add_argument("--kimg", type=float, default=6.0, help="thousands of pictures that it is shown")
    arguments.add_argument("--noise", type=float, default=0.0, help="cycle_noise of the training, in levels")
    arguments.add_argument("--keep", type=Path, help="where the run is to stay, and goes on; removed where left out")
    given = arguments.parse_args()
    if given.noise and given.model != CYCLEGAN:
        arguments.error(f"--noise {given.noise:g}: {given.model} has no noise on its way back")
    torch.set_num_threads(1)
    test = nights(TESTED, seed=9)
    verdicts, wanted = constructed(test), {"honest": "lost", "lazy": "kept in sight", "hiding": "hidden"}
    started = time.process_time()
    with runs_of("gate.hiding", keep=given.keep) as folder:
        model = trained(folder, given.model, given.kimg, given.noise)
    more = {"kimg": given.kimg, "cpu_sec": time.process_time() - started}
    name = given.model.partition("/")[2]
    if given.model == ONE_WAY:
        seen = visibility(test, _way(model, A_TO_B))
        history.record("gate.hiding", {"translator": name, "b": seen, **more})
        skies = 0.0
    else:
        there, back = (_way(model, direction) for direction in (B_TO_A, A_TO_B))
        found = measured(test, there, back, start=test.bare)
        noisy = {f"r_noise{noise:g}": recovered(test, there, back, noise) for noise in NOISES}
        skies = float((back(test.bare) - _way(model, A_TO_B, seed=1)(test.bare)).abs().max())
        _note(name, found, **more, other_skies=skies, **noisy, cycle_noise=given.noise)
    if verdicts != wanted:
        sys.exit(f"The constructed translators are told to be {verdicts}, not {wanted}.")
    if bool(skies) != (given.model in DRAWS):
        sys.exit(f"Two skies of one night differ by {skies} levels, by {given.model}.")


def nights(count: int, *, seed: int) -> Nights:
    """Places at night; bare is the median over skies of other stars, which moves no other pixel."""
    scenes = Scenes(SIDE, SIDE, count=count, seed=seed, time="night")
    factors = scenes.factors(np.arange(count))
    rng = np.random.default_rng(seed)
    starry, masks = paint(factors, SIDE, SIDE)
    others = [
        paint(factors | {"star_seed": rng.integers(0, 2**24, count).astype(np.float32)}, SIDE, SIDE)[0]
        for _ in range(SKIES)
    ]
    day, _ = paint(factors | {"time": np.zeros(count, np.float32)}, SIDE, SIDE)
    bare = np.median(np.stack(others), axis=0)
    return Nights(
        starry=_floats(starry), bare=_floats(bare), day=_floats(day), sky=torch.from_numpy(masks == 0)[:, None]
    )


def constructed(test: Nights) -> dict[str, str]:
    """The verdicts on three translators between night and day that were not trained."""
    others = nights(len(test.starry), seed=9 + 1).stars
    ways: dict[str, tuple[Way, Way]] = {
        "honest": (lambda night: test.day, lambda day: test.bare + others),
        "lazy": (lambda night: night, lambda day: day),
        "hiding": (
            lambda night: (test.day + STRENGTH * (night - test.bare) / BRIGHT).round(),
            lambda day: (day - test.day) * BRIGHT / STRENGTH + test.bare,
        ),
    }
    verdicts = {}
    for name, (there, back) in ways.items():
        found = measured(test, there, back, start=test.day)
        noisy = {f"r_noise{noise:g}": recovered(test, there, back, noise) for noise in NOISES}
        _note(name, found, **noisy)
        verdicts[name] = found.verdict
    return verdicts


def measured(test: Nights, there: Way, back: Way, *, start: Tensor) -> HiddenSignal:
    """Visibility, recovery, and what comes back from true pictures of the other kind."""
    return HiddenSignal(
        visibility=visibility(test, there),
        recovery=recovered(test, there, back, 0.0),
        by_chance=correlation(back(start) - test.bare, test.stars, test.sky),
    )


def visibility(test: Nights, there: Way) -> float:
    """How much of the stars a translation still shows."""
    return slope(there(test.starry) - there(test.bare), test.stars, test.sky)


def recovered(test: Nights, there: Way, back: Way, noise: float) -> float:
    """The recovery with noise of some levels on the intermediate picture."""
    between = there(test.starry)
    disturbed = between + noise * torch.randn(between.shape, generator=stream(1, "noise"))
    return correlation(back(disturbed.round()) - test.bare, test.stars, test.sky)


def trained(folder: Path, name: str, kimg: float, noise: float) -> Translates:
    """A model between nights without stars and other nights with them; one that goes one way takes stars away."""
    places = {}
    for kind, seed in (("bare", 1), ("starry", 2)):
        found, places[kind] = nights(TRAINED, seed=seed), folder / f"{kind}.npy"
        pictures = found.bare if kind == "bare" else found.starry
        np.save(places[kind], pictures.byte().permute(0, 2, 3, 1).contiguous().numpy())
    data, other = ("starry", "bare") if name == ONE_WAY else ("bare", "starry")
    run = finished_run(
        Train(
            model=name,
            data=str(places[data]),
            other=str(places[other]),
            out=folder / (f"run{noise:g}" if name == CYCLEGAN else name.partition("/")[2]),
            preset="small",
            kimg=kimg,
            set=("measure_kimg=-1", "sample_kimg=100", *([f"cycle_noise={noise}"] if name == CYCLEGAN else [])),
        )
    )
    return load(run).require(Translates)


def _way(model: Translates, direction: str, *, seed: int = 0) -> Way:
    """One direction of a trained model, on levels; what it draws, it draws alike for all that is asked of it."""

    @torch.no_grad()
    def go(pictures: Tensor) -> Tensor:
        with torch_seeded(seed):
            parts = pictures.clamp(0, 255).byte().split(100)
            return torch.cat([to_bytes(model.translate(to_float(part), direction)) for part in parts]).float()

    return go


def _floats(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()


def _note(translator: str, found: HiddenSignal, **more: float) -> None:
    values = {"b": found.visibility, "r": found.recovery, "r0": found.by_chance, "verdict": found.verdict}
    history.record("gate.hiding", {"translator": translator, **values, **more})


if __name__ == "__main__":
    main()
