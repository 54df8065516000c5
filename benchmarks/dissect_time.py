"""Seconds of a whole ``ganvas dissect`` of the run of ``make demo``: all layers, twins and effects. To hold: 3 minutes.

``python -m benchmarks.dissect_time [RUN]``; a run is trained where none is given and there is no runs/demo. It is
measured as a person's first dissection is, who has no labeller yet, and as every later one.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.gates.gate_dissect import demo

from benchmarks import history


def main(run: Path) -> None:
    """Measures and records."""
    with tempfile.TemporaryDirectory() as folder:
        first, later = (dissected(run, Path(folder), name) for name in ("first", "later"))
    threads = os.environ.get("OMP_NUM_THREADS", "")
    values = {"first_sec": first[0], "first_cpu_sec": first[1], "later_sec": later[0], "later_cpu_sec": later[1]}
    history.record("dissect_time", {"run": run.name, **values, "threads": threads})


def dissected(run: Path, folder: Path, name: str) -> tuple[float, float]:
    """Seconds of the wall clock and of processors, with a cache in the folder that the next one finds again."""
    command = [sys.executable, "-m", "ganvas", "dissect", str(run), "--out", str(folder / name), "--quiet"]
    began, used = time.perf_counter(), processors()
    environment = os.environ | {"GANVAS_CACHE": str(folder / "cache")}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return round(time.perf_counter() - began, 1), round(processors() - used, 1)


def processors() -> float:
    """Seconds that processes which this one started have used."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else demo())
