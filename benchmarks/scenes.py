"""Scenes that a core makes per second, by size. Prints one line per size.

Run as ``OMP_NUM_THREADS=1 python benchmarks/scenes.py``; numpy's element-wise work is single-threaded in any case. The
time is processor time, so that other work on the machine disturbs little, and the best of several passes counts.
"""

import time

from ganvas.core.process.provenance import machine, versions
from ganvas.data.scenes.scenes import Scenes

WANTED_AT_32 = 2000  # Pictures per second per core.
PASSES = 5


def main() -> None:
    """Prints pictures per second per core."""
    print(f"numpy {versions()['numpy']}, {machine()['processor']}")
    for height, width, count in ((32, 32, 4096), (64, 64, 1024), (128, 128, 256), (256, 256, 64), (512, 512, 16)):
        speed = pictures_per_second(height, width, count)
        wanted = f" (wanted: {WANTED_AT_32:,})" if (height, width) == (32, 32) else ""
        print(f"{height}x{width}: {speed:,.0f} pictures per second per core{wanted}")


def pictures_per_second(height: int, width: int, count: int) -> float:
    """Per second of processor time, the best of PASSES."""
    scenes = Scenes(height, width, count=count)
    best = 0.0
    for _ in range(PASSES):
        started = time.process_time()
        scenes.pictures(0, count)
        best = max(best, count / (time.process_time() - started))
    return best


if __name__ == "__main__":
    main()
