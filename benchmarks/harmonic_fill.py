"""Harmonic filling of a hole of two megapixels: processor seconds of one thread, and how far the filling is from exact.

The picture has slow colours and grain, so that the rim of the hole is rough. How far it is from exact is said of a
smaller hole, which is also filled in doubles until nothing changes.
"""

import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parent))
from history import record
from torch import Tensor

from ganvas.core.seeds import stream
from ganvas.data.holes.harmonic import harmonic_fill

HEIGHT, WIDTH, MARGIN = 1500, 2000, 150
SMALLER = 4  # Times along each side.
RUNS = 5


def main() -> None:
    torch.set_num_threads(1)
    picture, hole = holed(HEIGHT, WIDTH, MARGIN)
    seconds = []
    for _ in range(RUNS):
        started = time.process_time()
        harmonic_fill(picture, hole)
        seconds.append(time.process_time() - started)
    small, small_hole = holed(HEIGHT // SMALLER, WIDTH // SMALLER, MARGIN // SMALLER)
    exact = harmonic_fill(small.double(), small_hole, tolerance=1e-9)
    record(
        "harmonic fill, one thread",
        {
            "hole_megapixels": int(hole.sum()) / 1e6,
            "cpu_sec": round(min(seconds), 3),
            "cpu_sec_range": [round(min(seconds), 3), round(max(seconds), 3)],
            "largest_error_levels": round(float((harmonic_fill(small, small_hole) - exact).abs().max()) * 255, 4),
            "wanted_sec": 2.0,
        },
    )


def holed(height: int, width: int, margin: int) -> tuple[Tensor, Tensor]:
    """A picture (3, h, w) in [0, 1], and a hole that leaves a margin of it."""
    slow = torch.rand(1, 3, 40, 50, generator=stream(0, "slow"))
    picture = F.interpolate(slow, size=(height, width), mode="bicubic")[0]
    picture += 0.05 * torch.rand(picture.shape, generator=stream(0, "grain"))
    hole = torch.zeros(height, width, dtype=torch.bool)
    hole[margin:-margin, margin:-margin] = True
    return picture.clamp(0, 1), hole


if __name__ == "__main__":
    main()
