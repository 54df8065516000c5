"""The gate of minibatch discrimination: a discriminator that sees how alike a batch is keeps more modes.

Trains ``--preset mixtures`` of ``gan/minibatch_discrimination`` on ``mixtures:ring8`` with its kernels and, the same
net, without, from five seeds each. Wanted: over the five, strictly more modes with them. Beside stand the same networks
before their first step.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_minibatch``; about 4 minutes of one processor core.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks import history
from ganvas.core.run_folder import RunFolder
from ganvas.tasks.train import Train, train

SEEDS = range(5)
TWINS = {"kernels": (), "no kernels": ("kernels=0",)}


def main() -> None:
    """Trains ten times, records the modes of each, and ends with an error where kernels do not help."""
    torch.set_num_threads(1)
    found = {}
    for name, changes in TWINS.items():
        started = time.process_time()
        ends = [modes(seed, changes) for seed in SEEDS]
        found[name] = [last for _, last in ends]
        history.record(
            f"gate_minibatch.{name}",
            {
                "modes": found[name],
                "mean": sum(found[name]) / len(SEEDS),
                "untrained": [first for first, _ in ends],
                "cpu_sec": round(time.process_time() - started, 1),
                "threads": 1,
            },
        )
    if sum(found["kernels"]) <= sum(found["no kernels"]):
        sys.exit(f"Kernels do not keep more modes: {found}")


def modes(seed: int, changes: tuple[str, ...]) -> tuple[int, int]:
    """How many of the eight modes are reached before the first step, and at the end."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "run"
        train(
            Train(
                model="gan/minibatch_discrimination",
                data="mixtures:ring8",
                out=out,
                preset="mixtures",
                seed=seed,
                set=changes,
                threads=1,
                device="cpu",
                estimate=False,
            )
        )
        lines = RunFolder(out).lines("measures.jsonl")
    return _modes_of(lines[0]), _modes_of(lines[-1])


def _modes_of(line: dict) -> int:
    return int(next(result["value"] for result in line["results"] if result["metric"] == "modes"))


if __name__ == "__main__":
    main()
