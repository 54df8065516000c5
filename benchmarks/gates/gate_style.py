"""The gate of styles: days in the style of nights pass for nights, and still show their own place.

Trains ``--preset small`` of ``style/adaptive`` and of ``translate/cut`` on 2,000 scenes by day and 2,000 other scenes
by night. A judge is trained on days, dusks and nights of other places. The *deception rate* is the share of
translations that the judge takes for nights, and must be 0.8 of what it is right on with true nights. One picture in
the place of all would pass always, so that agreement with the true night of each place is asked for too: decibels of
the mean squared error, above those of the linear map between the colours of both sets. The mean night of all places is
the twin that must fail by it; the networks before training and the picture as it is stand beside.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_style [--model NAME] [--kimg K] [--keep FOLDER]``; about 1 minute of
one processor core for ``style/adaptive`` and 8 for ``translate/cut``.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch
from benchmarks.gates.gate_cyclegan import DAY, NIGHT, TEST_DAY, TEST_NIGHT, colour_transport, pictures
from benchmarks.gates.gate_munit import untrained
from benchmarks.gates.preset_run import finished_run, runs_of
from PIL import Image
from torch import Tensor

from benchmarks import history
from ganvas.core.pixels import to_bytes, to_float
from ganvas.features import classifier, classifier_training
from ganvas.losses.capabilities import Translates
from ganvas.tasks.train import Train
from ganvas.train.trained import load

MODELS = {"style/adaptive": 5.0, "translate/cut": 20.0}  # Thousands of pictures: the length of each preset.
DIRECTION = "a-to-b"
PASSES = 0.8  # Of the judge's own accuracy on true nights.
CLASSES = ("day", "dusk", "night")


def main() -> None:
    """Trains, measures, records; ends with an error where a model does not pass."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", choices=MODELS, help="one of both; both where left out")
    arguments.add_argument(
        "--kimg", type=float, help="thousands of pictures that each is shown; its preset's length by itself"
    )
    arguments.add_argument("--keep", type=Path, help="where the runs are to stay, and go on; removed where left out")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    day, night = pictures(TEST_DAY), pictures(TEST_NIGHT)
    failed = []
    with tempfile.TemporaryDirectory() as temporary, runs_of("gate.style", keep=given.keep) as runs:
        judge = trained_judge(Path(temporary))
        real = note("true nights", judge, night, night)
        note("the picture as it is", judge, day, night)
        mean = night.float().mean(0, keepdim=True).round().byte().expand_as(night)
        note("the mean night", judge, mean, night)
        floor = note("linear colours", judge, to_bytes(colour_transport()(to_float(day), DIRECTION)), night)
        for name in (given.model,) if given.model else MODELS:
            note(f"{name} untrained", judge, made(untrained(name), day), night)
            started = time.process_time()
            kimg = MODELS[name] if given.kimg is None else given.kimg
            run = trained(runs / name, name, kimg)
            seconds = time.process_time() - started
            found = note(name, judge, made(load(run).require(Translates), day), night, kimg=kimg, cpu_sec=seconds)
            if found["deception"] < PASSES * real["deception"] or found["db"] <= floor["db"]:
                failed.append(f"{name}: deception {found['deception']:.2f}, {found['db']:.1f} dB")
    if failed:
        sys.exit(f"Asked are {PASSES * real['deception']:.2f} and more than {floor['db']:.1f} dB: {'; '.join(failed)}")


def trained_judge(folder: Path) -> classifier.Trained:
    """A classifier of times of day."""
    for name in CLASSES:
        (folder / "times" / name).mkdir(parents=True)
        rows = pictures(f"scenes:400,32x32,time={name},seed=5").permute(0, 2, 3, 1).contiguous().numpy()
        for index, row in enumerate(rows):
            Image.fromarray(row).save(folder / "times" / name / f"{index}.png")
    plan = classifier_training.Plan(epochs=4, width=8)
    return classifier_training.train(str(folder / "times"), folder / "judge.safetensors", plan, quiet=True).trained


def trained(out: Path, model: str, kimg: float) -> Path:
    """A run of the small preset."""
    out.parent.mkdir(parents=True, exist_ok=True)
    changes = ("measure_kimg=-1", "sample_kimg=100")
    return finished_run(
        Train(model=model, data=DAY, other=NIGHT, out=out, preset="small", kimg=kimg, set=changes, quiet=True)
    )


@torch.no_grad()
def made(model: Translates, day: Tensor) -> Tensor:
    """Translations, as bytes."""
    return torch.cat([to_bytes(model.translate(to_float(part), DIRECTION)) for part in day.split(100)])


@torch.no_grad()
def note(translator: str, judge: classifier.Trained, shown: Tensor, truth: Tensor, **also: float) -> dict[str, float]:
    """Records the share that is taken for nights and the decibels of the mean error, and gives them back."""
    scores = judge.module(classifier.standardised(shown.float(), judge.config))
    error = ((shown.double() - truth.double()) / 255).square().mean().clamp_min(1e-10)
    found = {
        "deception": float((scores.argmax(1) == judge.config.classes.index("night")).double().mean()),
        "db": -10 * float(error.log10()),
    }
    history.record("gate.style", {"translator": translator, **found, **also})
    return found


if __name__ == "__main__":
    main()
