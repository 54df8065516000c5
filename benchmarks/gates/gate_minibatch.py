"""The gate of minibatch discrimination: a discriminator that sees how alike a batch is keeps more modes.

Trains ``--preset mixtures`` of ``gan/minibatch_discrimination`` on ``mixtures:ring8`` with its kernels and, the same
net, without, from five seeds each. A game without them swings from mode to mode, so what counts is the mean number of
modes over the second half of a run. Wanted: strictly more with kernels, over the five seeds. Beside stand the same
networks before their first step, and the share of samples that lie at a mode.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_minibatch``; about 4 minutes of one processor core.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from benchmarks.gates.preset_run import finished_run

from benchmarks import history
from ganvas.core.run_folder import RunFolder
from ganvas.tasks.train import Train

Line = dict[str, Any]
SEEDS = range(5)
TWINS = {"kernels": (), "no kernels": ("kernels=0",)}


def main() -> None:
    """Trains ten times, records the modes of each, and ends with an error where kernels do not help."""
    torch.set_num_threads(1)
    found = {}
    for name, changes in TWINS.items():
        started = time.process_time()
        runs = [measured(seed, changes) for seed in SEEDS]
        found[name] = [_late(run, "modes") for run in runs]
        history.record(
            f"gate_minibatch.{name}",
            {
                "modes": found[name],
                "share": round(sum(_late(run, "modes.high_quality") for run in runs) / len(runs), 3),
                "untrained": [_value(run[0], "modes") for run in runs],
                "cpu_sec": round(time.process_time() - started, 1),
                "threads": 1,
            },
        )
    if sum(found["kernels"]) <= sum(found["no kernels"]):
        sys.exit(f"Kernels do not keep more modes: {found}")


def measured(seed: int, changes: tuple[str, ...]) -> list[Line]:
    """What a run measured, before its first step and then at equal distances."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "run"
        finished_run(
            Train(
                model="gan/minibatch_discrimination",
                data="mixtures:ring8",
                out=out,
                preset="mixtures",
                seed=seed,
                set=changes,
            )
        )
        return RunFolder(out).lines("measures.jsonl")


def _late(lines: list[Line], metric: str) -> float:
    """The mean over the second half of a run."""
    late = lines[len(lines) // 2 :]
    return sum(_value(line, metric) for line in late) / len(late)


def _value(line: Line, metric: str) -> float:
    return next(result["value"] for result in line["results"] if result["metric"] == metric)


if __name__ == "__main__":
    main()
