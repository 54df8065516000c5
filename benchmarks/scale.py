"""Metrics that keep every row, at sizes that no memory holds: peak memory and time of precision and recall, density
and coverage, and KID over all pairs.

``python benchmarks/scale.py [--rows N] [--features D] [PART ...]``: 20,000 rows of 2,048 numbers on either side by
default; 100,000 take some 15 minutes on two cores. Rows are made batch by batch and lie in temporary files from 1 GiB a
side on, as in any measurement. Each part is a process of its own. What counts is its memory of its own (Linux:
RssAnon; its peak, looked at 50 times a second), from the first row to the result; pages of mapped files come and go as
the machine has room.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time

from history import record

PARTS = ("precision_recall", "density_coverage", "kid")
BATCH = 2000
GIVEN_BACK = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 20)
}  # By glibc, at once, what the made-up batches took: it is not ours.
SLABS = 1 << 30  # Bytes of rows that an accumulator keeps in memory: its documentation says so.


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all where left out")
    parser.add_argument("--rows", type=int, default=20_000, help="on each side")
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--child", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measured(arguments.child, arguments.rows, arguments.features)))
        return
    size = ["--rows", str(arguments.rows), "--features", str(arguments.features)]
    for part in arguments.parts or PARTS:
        command = [sys.executable, __file__, "--child", part, *size]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | GIVEN_BACK)
        record(f"scale.{part}", json.loads(done.stdout.splitlines()[-1]))


def measured(part, n, d):
    import importlib

    import torch

    metric = importlib.import_module(f"ganvas.metrics.{part}")
    config = metric.Config(all_pairs=True) if part == "kid" else metric.Config()
    warm = [filled(metric, config, 64, d, seed) for seed in (1, 2)]
    metric.compare(*warm)
    before, started = resident(), time.perf_counter()
    with Peak() as peak:
        real, fake = (filled(metric, config, n, d, seed) for seed in (1, 2))
        fed, filling = peak.highest, time.perf_counter() - started
        results = metric.compare(real, fake)
    rows_in_memory = 2 * min(SLABS, n * d * 4) / 2**20
    return {
        "rows": n,
        "features": d,
        "threads": torch.get_num_threads(),
        "on_disk_mb": max(0.0, 2 * n * d * 4 / 2**20 - rows_in_memory),
        "rows_in_memory_mb": rows_in_memory,
        "filled_mb": fed - before,
        "peak_mb": peak.highest - before,
        "work_mb": peak.highest - before - rows_in_memory,
        "filling_sec": filling,
        "compare_sec": time.perf_counter() - started - filling,
        "value": results[0].value,
        "standard_error": results[0].standard_error,
    }


def filled(metric, config, n, d, seed):
    """As after a ReLU and a pooling: none below 0, correlated, float32; never all at once."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    mixing = torch.randn(64, d, generator=torch.Generator().manual_seed(0)) / 8
    side = metric.Accumulator(config=config)
    for start in range(0, n, BATCH):
        count = min(BATCH, n - start)
        few = torch.randn(count, 64, generator=rng) @ mixing
        noise = torch.randn(count, d, generator=rng)
        side.update((0.4 + 0.02 * seed + 0.3 * few + 0.2 * noise).clamp_min_(0))
    return side


class Peak:
    """The highest memory of its own that this process has had meanwhile, MB."""

    def __enter__(self):
        self.highest, self._over = resident(), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(0.02):
            self.highest = max(self.highest, resident())


def resident():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("RssAnon"))


if __name__ == "__main__":
    main()
