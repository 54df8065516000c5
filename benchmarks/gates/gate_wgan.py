"""The gate of WGAN on points: how many of 25 modes it reaches, and what share of its samples lies at one.

Trains ``--preset mixtures`` on ``mixtures:grid25``. Wanted: 25 of 25 modes and 90 % of the samples within three
standard deviations of one, in two minutes on two quiet cores. The twin that is wrong on purpose has no clip, and must
fail.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_wgan``; about 4 minutes of one processor core.
Ends with 1 where the gate is missed: docs/wgan.md says how far clipping comes.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch
from benchmarks.gates.preset_run import finished_run

from benchmarks import history
from ganvas.core.run_folder import RunFolder
from ganvas.tasks.train import Train

MODES, SHARE = 25, 0.9
UNCLIPPED_KIMG = 1000.0


def main() -> None:
    """Trains the preset and its twin, records what they reach, and ends with an error where the gate is missed."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        wrong = reached(Path(temporary) / "unclipped", kimg=UNCLIPPED_KIMG, changes=("clip=1000",))
        history.record("gate_wgan.no clip", wrong)
        right = reached(Path(temporary) / "run")
        history.record("gate_wgan", right)
    if passes(wrong):
        sys.exit(f"A critic without a clip passes: {wrong}.")
    if not passes(right):
        sys.exit(f"Missed: {right['modes']:g} of {MODES} modes, {right['share']:.2f} of the samples, {SHARE} wanted.")


def passes(found: dict[str, float]) -> bool:
    """Whether every mode is reached and enough samples lie at one."""
    return found["modes"] == MODES and found["share"] >= SHARE


def reached(out: Path, *, kimg: float | None = None, changes: tuple[str, ...] = ()) -> dict[str, float]:
    """Modes and share at the end of a run of the preset, and its seconds of processor time."""
    started = time.process_time()
    finished_run(
        Train(
            model="gan/wgan",
            data="mixtures:grid25",
            out=out,
            preset="mixtures",
            kimg=kimg,
            set=changes,
        )
    )
    last = RunFolder(out).lines("measures.jsonl")[-1]
    values = {result["metric"]: result["value"] for result in last["results"]}
    return {
        "modes": values["modes"],
        "share": values["modes.high_quality"],
        "cpu_sec": round(time.process_time() - started, 1),
        "threads": 1,
    }


if __name__ == "__main__":
    main()
