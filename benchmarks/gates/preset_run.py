"""Runs of presets that gates train, each on one thread, and what was measured while they trained."""

import sys
from pathlib import Path

from ganvas.core.run_folder import RunFolder
from ganvas.tasks.train import Train, train


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
    done = train(
        Train(
            model=model,
            data=data,
            held_out=held_out,
            out=out,
            preset=preset,
            kimg=kimg,
            set=(f"measure_kimg={kimg}", "sample_kimg=100000", *changes),
            threads=1,
            device="cpu",
            estimate=False,
            quiet=True,
        )
    )
    if not done.finished:  # What was measured last is then not the run's end.
        sys.exit(f"{out} was stopped.")
    return out


def measured(run: Path) -> list[dict[str, float]]:
    """What each measurement of a run found, by name."""
    return [{one["metric"]: one["value"] for one in line["results"]} for line in RunFolder(run).lines("measures.jsonl")]
