"""Five verbs on the networks of tests/foreign: writes tests/foreign/outcomes.json and a line of history.

.venv-foreign/bin/python benchmarks/foreign.py [NAME ...]      (all of them if none is named; a few minutes)

Each network runs in a process of its own, so that one which ends Python is a crash like others.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from history import record

HERE = Path(__file__).parents[1] / "tests" / "foreign"
sys.path.insert(0, str(HERE))

from architectures import NETWORKS  # noqa: E402
from five_verbs import VERBS, counts, outcomes  # noqa: E402

OUTCOMES = HERE / "outcomes.json"


def one(name: str) -> dict[str, str]:
    """What the verbs make of one network."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        return outcomes(name, Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or list(NETWORKS)
    found = json.loads(OUTCOMES.read_text(encoding="utf-8")) if OUTCOMES.exists() else {}
    started = time.process_time()
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=spawn)
    for name in names:
        try:
            found[name] = pool.submit(one, name).result()
        except BrokenProcessPool:
            found[name] = dict.fromkeys(VERBS, "crash: Python ended")
            pool = ProcessPoolExecutor(1, mp_context=spawn)
        sys.stderr.write(f"{name}: {found[name]}\n")
        ordered = {each: found[each] for each in NETWORKS if each in found}
        OUTCOMES.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    pool.shutdown()
    record("foreign", counts(ordered) | {"own_cpu_sec": round(time.process_time() - started, 1)})


if __name__ == "__main__":
    main()
