"""Parts of gates, runs that they train, each on one thread, and what was measured while they trained."""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from ganvas.core import catalogue
from ganvas.core.config import to_plain
from ganvas.core.files.atomic_files import read_json, write_json
from ganvas.core.run_folder import RunFolder
from ganvas.tasks.train import Train, train


def run_parts(parts: Mapping[str, Callable[[], list[str]]], description: str | None) -> None:
    """Runs the parts of a gate that the command names, all where it names none; an error tells what is missed.

    Args:
        parts: Of the gate: each trains, records, and returns what is not as it should be.
        description: What ``--help`` says.
    """
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all where left out")
    names = arguments.parse_args().parts or list(parts)
    if unknown := [name for name in names if name not in parts]:
        arguments.error(f"there is no part {unknown[0]!r}; there are {', '.join(parts)}")
    torch.set_num_threads(1)
    missed = [failure for name in names for failure in parts[name]()]
    if missed:
        sys.exit("\n".join(missed))


@contextmanager
def runs_of(gate: str, *, keep: Path | None = None) -> Iterator[Path]:
    """A folder for the runs of a gate, which is removed at the end.

    ``keep`` stays, and so does the folder of the gate's name in that of ``GANVAS_GATE_RUNS``: a gate that was stopped
    goes on there.
    """
    kept = os.environ.get("GANVAS_GATE_RUNS")
    folder = keep or (Path(kept) / gate if kept else None)
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
        return
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


# Of gates that read numbers alone: on points, sheets and check-ups take half of the time of a run.
NOTHING_BESIDE = ("sample_kimg=100000", "health_kimg=-1")


def finished_run(task: Train) -> Path:
    """A run to its end, on one thread of the processor; one that is there goes on, if its preset is still the same."""
    _need_same_preset(task)
    done = train(dataclasses.replace(task, threads=1, device="cpu", estimate=False))
    if not done.finished:  # A signal stopped it: half a training is not what a gate is of.
        sys.exit(f"{task.out} was stopped at {done.kimg:g} kimg.")
    return task.out


def _need_same_preset(task: Train) -> None:
    """A run keeps the settings that it began with: a preset that changed since would be measured by its former self."""
    if task.preset is None:
        return
    now = json.loads(json.dumps(to_plain(catalogue.preset(task.model, task.preset).config)))
    file = task.out.with_name(f"{task.out.name}.preset.json")
    if RunFolder(task.out).exists and (not file.exists() or read_json(file) != now):
        sys.exit(f"{task.out} was begun with another preset {task.preset} of {task.model}. Remove it, to train anew.")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, now)


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
