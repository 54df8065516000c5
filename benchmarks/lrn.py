"""Local response normalisation on a CPU: ``ganvas.nn.norms.lrn`` against ``torch.nn.functional.local_response_norm``.

AlexNet's settings (n = 5) on the shapes of its layers and on wider ones, in both memory formats, forward and with the
gradient. The two are run in turn in one process on a stated number of threads, and the ratio is taken pair by pair,
because the machine's speed drifts; what is recorded is the median of the ratios. Values are compared first.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
from history import record

from ganvas.nn.norms.lrn import local_response_norm

SHAPES = [(8, 64, 55, 55), (8, 96, 27, 27), (8, 256, 13, 13), (8, 512, 8, 8)]
FORMATS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
SETTINGS = {"alpha": 5e-4, "beta": 0.75, "k": 2.0}
WARM_UP = 2


def ours(x):
    return local_response_norm(x, 5, **SETTINGS)


def torchs(x):
    return F.local_response_norm(x, 5, **SETTINGS)


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def ratio(first, second, pairs):
    """Median of how many times as long the first takes, and the median seconds of each."""
    times = [(seconds(first), seconds(second)) for _ in range(WARM_UP + pairs)][WARM_UP:]
    return statistics.median(a / b for a, b in times), *(
        statistics.median(column) for column in zip(*times, strict=True)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    generator = torch.Generator().manual_seed(0)
    for shape in SHAPES:
        for name, memory_format in FORMATS.items():
            x = torch.randn(shape, generator=generator).to(memory_format=memory_format)
            leaf, gradient = x.clone().requires_grad_(), torch.ones_like(x)
            torch.testing.assert_close(ours(x), torchs(x))

            def both(function, leaf=leaf, gradient=gradient):
                return lambda: torch.autograd.grad(function(leaf), leaf, gradient)

            forward, torchs_sec, ours_sec = ratio(lambda x=x: torchs(x), lambda x=x: ours(x), options.pairs)
            backward, torchs_both_sec, ours_both_sec = ratio(both(torchs), both(ours), options.pairs)
            record(
                "lrn",
                {
                    "shape": "x".join(map(str, shape)),
                    "format": name,
                    "threads": options.threads,
                    "forward_times_as_fast": forward,
                    "with_gradient_times_as_fast": backward,
                    "torch_forward_ms": 1e3 * torchs_sec,
                    "forward_ms": 1e3 * ours_sec,
                    "torch_with_gradient_ms": 1e3 * torchs_both_sec,
                    "with_gradient_ms": 1e3 * ours_both_sec,
                },
            )


if __name__ == "__main__":
    main()
