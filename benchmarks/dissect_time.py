"""Seconds of a whole ``ganvas dissect`` of the gates' run: all layers, twins and effects. To hold: 3 minutes.

``python -m benchmarks.dissect_time [RUN] [--first]``; the run is trained where none is given and none is there.
It takes what the cache has, as every dissection but the first does; with ``--first`` the cache is empty, so that the
labeller is trained as well.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.gates.gate_dissect import dissected

from benchmarks import history


def main(run: Path, *, first: bool) -> None:
    """Measures and records."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ganvas", "dissect", str(run), "--out", f"{folder}/found", "--quiet"]
        environment = os.environ | ({"GANVAS_CACHE": f"{folder}/cache"} if first else {})
        began = time.perf_counter()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    times = {"sec": round(seconds, 1), "cpu_sec": round(spent.ru_utime + spent.ru_stime, 1)}
    history.record("dissect_time", {"first": first, **times})


if __name__ == "__main__":
    named = [word for word in sys.argv[1:] if word != "--first"]
    main(Path(named[0]) if named else dissected(), first="--first" in sys.argv)
