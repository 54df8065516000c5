"""The gate of games on points: how many of 25 modes they reach, and what share of their samples lies at one.

Trains ``--preset mixtures`` of each game on ``mixtures:grid25``. Wanted: 25 of 25 modes and 90 % of the samples within
three standard deviations of one. Beside each stand the same networks before their first step, and a twin that is wrong
on purpose: the critic's slope is not held; plans between batches are near uniform. Both must fail.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_points [MODEL ...]``; about 9 minutes of one processor core. With
``GANVAS_GATE_RUNS=FOLDER`` the same command goes on where it was stopped; what it cost is then that of the rest.
"""

import functools
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.gates.preset_run import NOTHING_BESIDE, finished_run, run_parts, runs_of

from benchmarks import history
from ganvas.core.run_folder import RunFolder
from ganvas.tasks.train import Train

MODES, SHARE = 25, 0.9
# What keeps the critic's slope bounded, taken away; a bound of ten thousand is none.
WRONG = {
    "gan/wgan_gp": ("penalty_weight=0",),
    "gan/sngan": ("score_scale=10000",),
    "gan/ot_gan": ("sharpness=1",),  # No plan prefers any pair: the plain energy distance.
}
WRONG_KIMG = {"gan/wgan_gp": 600.0, "gan/sngan": 600.0, "gan/ot_gan": 300.0}

Figures = Mapping[str, float]


def main() -> None:
    """Trains each game and its twin, records what they reach, and ends with an error where the gate is missed."""
    run_parts({model: functools.partial(failures, model) for model in WRONG}, __doc__)


def failures(model: str) -> list[str]:
    """What is not as it should be of one game."""
    short = model.rpartition("/")[2]
    with runs_of("gate_points") as runs:
        _, wrong = reached(model, runs / f"{short}-wrong", kimg=WRONG_KIMG[model], changes=WRONG[model])
        untrained, trained = reached(model, runs / short)
    name = f"gate_points.{short}"
    history.record(f"{name} untrained", untrained)
    history.record(f"{name} {' '.join(WRONG[model])}", wrong)
    history.record(name, trained)
    found = [
        f"{model} passes with {twin}."
        for twin, figures in (("no step", untrained), (WRONG[model], wrong))
        if passes(figures)
    ]
    if not passes(trained):
        found.append(f"{model}: {trained['modes']:g} of {MODES} modes, {trained['share']:.2f} of the samples at one.")
    return found


def passes(figures: Figures) -> bool:
    """Whether every mode is reached and enough samples lie at one."""
    return figures["modes"] == MODES and figures["share"] >= SHARE


def reached(
    model: str, out: Path, *, kimg: float | None = None, changes: tuple[str, ...] = ()
) -> tuple[Figures, Figures]:
    """Modes and share before the first step of a run of the preset, and at its end with its processor time."""
    started = time.process_time()
    finished_run(
        Train(
            model=model,
            data="mixtures:grid25",
            out=out,
            preset="mixtures",
            kimg=kimg,
            set=(*NOTHING_BESIDE, *changes),
        )
    )
    lines = RunFolder(out).lines("measures.jsonl")
    cost = {"kimg": lines[-1]["nimg"] / 1000, "cpu_sec": round(time.process_time() - started, 1), "threads": 1}
    return figures_of(lines[0]), figures_of(lines[-1]) | cost


def figures_of(line: Mapping[str, object]) -> dict[str, float]:
    """Modes, and the share of samples at one, of one line of measures."""
    results = line["results"]
    assert isinstance(results, list)
    values = {result["metric"]: result["value"] for result in results}
    return {"modes": values["modes"], "share": values["modes.high_quality"]}


if __name__ == "__main__":
    main()
