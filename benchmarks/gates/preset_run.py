"""Runs that gates train, each on one thread, and what was measured while they trained."""

import dataclasses
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganvas.core.run_folder import RunFolder
from ganvas.tasks.train import Train, train


@contextmanager
def runs_of(gate: str) -> Iterator[Path]:
    """A folder for the runs of a gate: removed at the end, or kept in that of ``GANVAS_GATE_RUNS``, where a gate that
    was stopped goes on."""
    if kept := os.environ.get("GANVAS_GATE_RUNS"):
        folder = Path(kept) / gate
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


def finished_run(task: Train) -> Path:
    """A run to its end, on one thread of the processor; one that is there goes on."""
    done = train(dataclasses.replace(task, threads=1, device="cpu", estimate=False))
    if not done.finished:  # A signal stopped it: half a training is not what a gate is of.
        sys.exit(f"{task.out} was stopped at {done.kimg:g} kimg.")
    return task.out


def preset_run(
    model: str,
    out: Path,
    data: str,
    kimg: float,
    *,
    preset: str = "small",
    held_out: str | None = None,
    changes: tuple[str, ...] = (),
) -> Path:
    """A run that is measured at its start and its end; one that is there goes on.

    Args:
        changes: Of settings, which may say where else it is measured (``measure_kimg=2``).
    """
    return finished_run(
        Train(
            model=model,
            data=data,
            held_out=held_out,
            out=out,
            preset=preset,
            kimg=kimg,
            set=(f"measure_kimg={kimg}", "sample_kimg=100000", *changes),
            quiet=True,
        )
    )


def measured(run: Path) -> list[dict[str, float]]:
    """What each measurement of a run found, by name."""
    return [{one["metric"]: one["value"] for one in line["results"]} for line in RunFolder(run).lines("measures.jsonl")]
