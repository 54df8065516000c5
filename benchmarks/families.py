"""Families on one set of pictures with one budget: what each makes of so many seconds of one processor core.

Every model that has a ``small`` preset and draws pictures without being told a class is trained on the same scenes of
16x16 pixels until its steps have taken ``--seconds`` of processor time (measured on a short run first), and then
measured in one way: SWD and MS-SSIM, precision and recall through an untrained network, bits per dimension of
held-out scenes where the model knows or bounds them, and what drawing a picture costs. Each becomes one line of
``history.jsonl``; ``scripts/families_table.py`` makes the page and the figures that `ganvas advise` reads out of them.

The presets are what a person takes who tries nothing: nobody tuned them for this set or this budget, some learn slowly
and go on for long, and 16 pixels are few. It is a first impression and no ranking.

``OMP_NUM_THREADS=1 python -m benchmarks.families [MODEL ...] [--seconds 60]``; about two minutes a model.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks import history
from ganvas.core import catalogue
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.capabilities import BoundsDensity, HasDensity
from ganvas.tasks.likelihood import Likelihood, likelihood
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train, train
from ganvas.train.sampling.drawn import can_draw
from ganvas.train.sampling.sampling_cost import sampling_cost
from ganvas.train.trained import Trained, load

DATA, HELD_OUT = "scenes:6000,16x16", "scenes:1000,16x16,seed=1"
REALS = "scenes:4000,16x16,seed=2"  # Neither trained on nor held out: what everything is measured against.
PRESET, SECONDS = "small", 60.0
SHORT_SECONDS, BRIEF_KIMG = 4.0, 0.03  # Of the run that tells the pace, and of one that is hardly begun.
PICTURES, FEW = 1000, 128  # Measured; of a model that draws slowly.
SLOW_MS = 150.0  # A picture.
METRICS = ("swd", "ms_ssim", "precision_recall")
SAMPLES = 64  # Latents per picture of a bound.
QUIET = ("measure_kimg=-1", "health_kimg=-1", "sample_kimg=1000000", "report_kimg=0")
# They need classes, draw nothing of their own, or have a preset for smaller pictures.
LEAVE_OUT = ("gan/acgan", "gan/ssgan_semi", "vae/autoencoder", "flow/flow_gan")


def main() -> None:
    """Trains and measures every family that was named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="*", help="names from `ganvas models`; all that can be where left out")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one core, for the steps of each")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for model in given.models or candidates():
        with tempfile.TemporaryDirectory() as temporary:
            for name, figures in figures_of(model, Path(temporary), seconds=given.seconds).items():
                history.record(name, figures)


def candidates() -> list[str]:
    """Models of pictures with the preset, by name."""
    found = []
    for entry in catalogue.entries("recipes"):
        if entry.name in LEAVE_OUT or PRESET not in catalogue.functions("recipes", entry.name):
            continue
        module = catalogue.load("models", entry.name)
        if Pictures in module.Model.takes and can_draw(module.Model(module.TINY)):
            found.append(entry.name)
    return found


def figures_of(model: str, folder: Path, *, seconds: float) -> dict[str, Mapping[str, Any]]:
    """The figures of one model, and of reals in its place."""
    kimg = length(model, folder, seconds=seconds)
    run = folder / "run"
    started = time.process_time()
    _train(model, run, kimg)
    spent = time.process_time() - started
    trained = load(run)
    cost, _ = sampling_cost(trained)
    n = PICTURES if cost.milliseconds < SLOW_MS else FEW
    found = measure(Measure(a=str(run), b=REALS, n=n, metrics=METRICS, features="untrained", quiet=True))
    told = {
        "data": DATA,
        "n": n,
        "kimg": kimg,
        "cpu_sec": spent,
        "threads": 1,
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "draw_ms": cost.milliseconds,
        "draw_macs": cost.macs,
        "draw_evaluations": cost.evaluations,
    }
    return {
        f"families.{model}": told | _values(found.results) | _bits(trained, run),
        f"families.reals.{n}": {"data": DATA, "n": n} | _values(found.floor),
    }


def length(model: str, folder: Path, *, seconds: float) -> float:
    """Thousands of pictures whose steps take so long, from a short run less what every run needs besides."""
    for turn in range(2):  # The first of a process packs the data and imports what is needed.
        besides = _seconds(model, folder / f"begin-{turn}", BRIEF_KIMG)
    kimg = 4 * BRIEF_KIMG
    while True:
        spent = _seconds(model, folder / f"pace-{kimg:g}", kimg) - besides
        if spent >= SHORT_SECONDS:
            return round(seconds / spent * (kimg - BRIEF_KIMG), 1)
        kimg *= 3


def _seconds(model: str, out: Path, kimg: float) -> float:
    started = time.process_time()
    _train(model, out, kimg)
    return time.process_time() - started


def _train(model: str, out: Path, kimg: float) -> None:
    train(
        Train(
            model=model,
            data=DATA,
            out=out,
            preset=PRESET,
            kimg=kimg,
            set=QUIET,
            threads=1,
            device="cpu",
            estimate=False,
            quiet=True,
        )
    )


def _values(results: list[Any]) -> dict[str, float]:
    """Values and standard errors of what the page shows."""
    names = {
        "swd": "swd",
        "ms_ssim": "ms_ssim",
        "precision_recall.precision": "precision",
        "precision_recall.recall": "recall",
    }
    kept = [result for result in results if result.metric in names]
    return {names[one.metric]: one.value for one in kept} | {
        f"{names[one.metric]}_error": one.standard_error for one in kept if one.standard_error is not None
    }


def _bits(trained: Trained, run: Path) -> dict[str, Any]:
    """Bits per dimension of held-out scenes, where the model knows them or bounds them."""
    model = trained.model
    bounds = isinstance(model, BoundsDensity)
    if not bounds and not isinstance(model, HasDensity):
        return {}
    is_exact = isinstance(model, HasDensity) and model.density == "exact" and not bounds
    found = likelihood(Likelihood(run=run, data=HELD_OUT, n=FEW, samples=SAMPLES if bounds else None, quiet=True))
    result = next(one for one in found.results if one.metric == "bits_per_dimension")
    kind = "exact" if is_exact else "at most"
    return {"bits_per_dimension": result.value, "bits_error": result.standard_error, "bits_kind": kind}


if __name__ == "__main__":
    main()
