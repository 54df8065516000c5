# ruff: noqa: E402
"""Precision, recall, density and coverage against tables of all distances, values equal: time and peak memory.

``python benchmarks/neighbours.py [--rows N ...] [--features D]``. Every measurement is a process of its own, on one
thread, so that its processor seconds and its peak are its own and a busy machine changes little. The other side is the
usual form: float32 tables of distances from ``torch.cdist``, ``kthvalue``, and comparisons of whole tables, precision
and recall only, without standard errors. Ours is everything that ``compare`` does. With the package ``prdc``
installed, its times are recorded too.

``--long`` measures ours alone on 100,000 rows on either side (of 64 features: the time is that of the pairs).
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):  # Before numpy and torch are loaded.
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import importlib.util
import json
import subprocess
import sys

from history import record

CHILD = """
import json, resource, sys, time
import torch

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def plain(real, fake, k=3):
    def inside(x, y):
        radii = table(x, x).kthvalue(k + 1).values
        return float((table(y, x) <= radii).any(1).double().mean())
    def table(x, y):
        return torch.cat([torch.cdist(x, part) for part in y.split(10000)], 1)
    return [inside(real, fake), inside(fake, real)]

def prdc(real, fake, k=3):
    from prdc import compute_prdc
    found = compute_prdc(real.numpy(), fake.numpy(), nearest_k=k)
    return [found["precision"], found["recall"]]

def ours(real, fake):
    return [result.value for result in compare(kept(real), kept(fake))[1:]]

def kept(rows):
    if len(rows) == n:
        return sides.pop(0)  # Filled before the measurement: both sides start from features at hand.
    side = Accumulator()
    side.update(rows)
    return side

which, n, d = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
from ganvas.metrics.precision_recall import Accumulator, compare
random = torch.Generator().manual_seed(0)
real, fake = torch.randn(n, d, generator=random), torch.randn(n, d, generator=random)
sides = [Accumulator(), Accumulator()]
for side, rows in zip(sides, (real, fake)):
    side.update(rows)
small = {"plain": plain, "prdc": prdc, "ours": ours}[which](real[:50], fake[:50])
before, started, wall = peak_mb(), time.process_time(), time.perf_counter()
values = {"plain": plain, "prdc": prdc, "ours": ours}[which](real, fake)
print(json.dumps({"cpu_sec": time.process_time() - started, "sec": time.perf_counter() - wall,
                  "mb": peak_mb() - before, "values": values}))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="*", default=[2000, 8000, 20000], help="on each side")
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    for n in arguments.rows:
        ours, plain = (measured(which, n, arguments.features) for which in ("ours", "plain"))
        assert ours["values"] == plain["values"], (ours["values"], plain["values"])
        found = {
            "rows": n,
            "features": arguments.features,
            "plain_cpu_sec": plain["cpu_sec"],
            "cpu_sec": ours["cpu_sec"],
            "ratio": plain["cpu_sec"] / ours["cpu_sec"],
            "plain_mb": plain["mb"],
            "mb": ours["mb"],
            "memory_ratio": plain["mb"] / max(ours["mb"], 1.0),
        }
        if importlib.util.find_spec("prdc"):
            found["prdc_cpu_sec"] = measured("prdc", n, arguments.features)["cpu_sec"]
        record("neighbours", found)
    if arguments.long:
        found = measured("ours", 100_000, 64)
        record("neighbours.long", {"rows": 100_000, "features": 64, "cpu_sec": found["cpu_sec"], "mb": found["mb"]})


def measured(which, n, d):
    """Processor seconds, peak memory above the features, and the values, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, which, str(n), str(d)], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
