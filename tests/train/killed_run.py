"""Trains one run through many violent deaths: a program, started by test_resume.py.

``python killed_run.py MODEL FOLDER SEED DEATHS`` trains MODEL twice on the same tiny data, pictures or points (then
MODEL is written ``gan/wgan:points``, its players see each other's past, its steps are local ones, and its noise is
measured; with adaptive augmentation ``gan/dcgan:ada``): once undisturbed, and once in processes that die by SIGKILL,
DEATHS times, at random steps, half-way through writing a checkpoint, between its two files, during a fade, or from
outside at a random moment. A run that reaches its end before all deaths were died is followed by another. The runs are
FOLDER/undisturbed and FOLDER/killed-*. Prints how the processes died.

It forks instead of starting Python anew, and first imports what the first optimiser and the first model import, so
that a life takes milliseconds; the parent computes nothing with torch, so no thread is lost in the fork.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch._dynamo  # The first optimiser imports it, in two seconds.

from ganvas.core import catalogue
from ganvas.core.run_folder import RunFolder
from ganvas.core.seeds import stream
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.capabilities import Draws
from ganvas.nn.layers.initialise import initialise
from ganvas.train import checkpoint
from ganvas.train.execution import executors
from ganvas.train.kinds.kind import SourceRequest
from ganvas.train.kinds.kinds import kind_of
from ganvas.train.loop import Setup, train
from ganvas.train.plan import Plan
from ganvas.train.sheets.sample_grids import NoSheets

STEPS = 48


def live(model: str, folder: Path, name: str) -> None:
    """One process's life: train until the end, or until death."""
    torch.set_num_threads(1)
    name_of_model, _, kind = model.partition(":")
    module = catalogue.load("models", name_of_model)
    config = module.TINY_POINTS if kind == "points" else module.TINY
    network = module.Model(config)
    os.environ["GANVAS_CACHE"] = str(folder / "cache")
    spec = "mixtures:ring8,50" if network.batch_type is Points else str(folder / "tiny.npz")
    other = str(folder / "other.npz") if network.batch_type is Domains else None
    plan = Plan(
        total_kimg=STEPS * config.batch_size / 1000,
        seed=3,
        mirror=True,
        report_kimg=0.03,
        sample_kimg=1,
        measure_kimg=-1,
        augment="ada" if kind == "ada" else "none",
        augment_kimg=1.0,
        checkpoint_minutes=0.0002,
        delays=("D:3",) if kind == "points" else (),
        histories=("G:4",) if kind == "points" else (),
        local_steps=2 if kind == "points" else 0,
        noise_scale=3 if kind == "points" else 0,
        health_kimg=0.05,
    )
    run = RunFolder(folder / name)
    if not run.exists:
        run.create({"data": {}, "cost": None})
    data = kind_of(network.takes, spec).prepare(
        SourceRequest(data=spec, other=other, fit="stretch", quiet=True), config, plan
    )
    initialise(network, stream(plan.seed, "weights"))
    if isinstance(network, Draws):  # A pass per pixel: sheets would take nearly all of a life.
        data.sheets = lambda folder, *_, **__: NoSheets(folder)
    train(
        Setup(
            run=run,
            name=name_of_model,
            model=network,
            plan=plan,
            data=data,
            device=torch.device("cpu"),
            quiet=True,
            estimate=False,
        )
    )


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arrange_death(kind: str, dice: random.Random) -> None:
    """Puts a SIGKILL where this life is to end."""
    left = dice.randrange(1, 6)
    if kind in ("half a file", "between files"):
        written = checkpoint.save_file

        def save_file(tensors, file):
            nonlocal left
            left -= 1
            written(tensors, file)
            if left <= 0:
                if kind == "half a file":
                    os.truncate(file, os.path.getsize(file) // 2)
                die()

        checkpoint.save_file = save_file
        return
    step = executors.Eager.step

    def stepping(self, batch, stage):
        nonlocal left
        turns = step(self, batch, stage)
        left -= kind == "a step" or stage.fading
        if left <= 0:
            die()
        return turns

    executors.Eager.step = stepping


def main() -> None:
    model, folder, seed, deaths = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    catalogue.load("models", model.partition(":")[0])
    dice = random.Random(seed)
    pictures = np.random.default_rng(0).integers(0, 256, (50, 16, 16, 3), dtype=np.uint8)
    np.savez(folder / "tiny.npz", images=pictures)
    np.savez(folder / "other.npz", images=255 - pictures[:30])
    grows = model == "gan/progan"
    kinds = ["a step", "half a file", "between files", "outside"] + (["a fade"] if grows else [])
    died: list[str] = []
    _wait(_fork(lambda: live(model, folder, "undisturbed")))
    finished = 0
    while len(died) < deaths:
        while True:
            kind = kinds[len(died) % len(kinds)] if len(died) < deaths else "old age"
            if not _survives(kind, model, folder, f"killed-{finished}", dice):
                died.append(kind)
            else:
                break
        finished += 1
    sys.stdout.write(json.dumps(died) + "\n")


def _survives(kind: str, model: str, folder: Path, name: str, dice: random.Random) -> bool:
    """One life of one kind; whether it came to the end of the run."""

    def life() -> None:
        if kind not in ("outside", "old age"):
            arrange_death(kind, dice)
        live(model, folder, name)

    child = _fork(life)
    dice.random()  # The child rolled its own copy of the dice: do not let every life end at the same step.
    if kind == "outside":
        time.sleep(dice.uniform(0.02, 0.2))
        os.kill(child, signal.SIGKILL)
    return _wait(child)


def _fork(life) -> int:
    child = os.fork()
    if child:
        return child
    try:
        life()
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(0)


def _wait(child: int) -> bool:
    """Whether it came to its natural end."""
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if status:
        sys.exit(f"a life failed with status {status}")
    return True


if __name__ == "__main__":
    main()
