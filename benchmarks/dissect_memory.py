"""Peak memory of a dissection of 512 units on 1,000 pictures, whose maps are far more than is kept at a time.

``OMP_NUM_THREADS=1 python -m benchmarks.dissect_memory``: a generator of 512 units at 32x32, whose maps of 1,000
pictures are 2 GB, and its labels by brightness; agreement with the permutation test, in portions of 256 MB. About two
minutes of one processor core. What it found goes to ``benchmarks/history.jsonl``.
"""

import resource
import time

import torch
from torch import nn

from benchmarks import history
from ganvas.dissect import subject
from ganvas.dissect.labelled_sample import MOST_BYTES, sampled
from ganvas.dissect.labellers.rules import brightness
from ganvas.dissect.layers import layers

UNITS, SIDE, PICTURES = 512, 32, 1000


def generator() -> nn.Module:
    """From 16 latents to 512 units of 32x32, and from those to colours."""
    torch.manual_seed(0)
    grow = nn.ConvTranspose2d(16, 16, SIDE // 4)
    network = nn.Sequential(
        nn.Unflatten(1, (16, 1, 1)), grow, nn.Upsample(scale_factor=4), nn.Conv2d(16, UNITS, 1), nn.ReLU()
    )
    network.append(nn.Conv2d(UNITS, 3, 1))
    return network.eval()


def peak() -> float:
    """The most that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measures and records."""
    torch.set_num_threads(1)
    own = subject.of_network(generator(), "512 units", "random", (1, 16))
    place = own.numbering.chosen()[0]
    assert place.units == UNITS
    sample = sampled(own, brightness(), PICTURES)
    before, started = peak(), time.process_time()
    layers(sample, None, [place], permutations=39, seed=0, turned=False, shown_units=8, quiet=True)
    values = {
        "units": UNITS,
        "pictures": PICTURES,
        "maps_mib": UNITS * PICTURES * SIDE * SIDE * 4 / 2**20,
        "portion_mib": MOST_BYTES / 2**20,
        "peak_mib": round(peak() - before, 1),
        "cpu_sec": round(time.process_time() - started, 1),
        "threads": 1,
    }
    history.record("dissect_memory", values)


if __name__ == "__main__":
    main()
