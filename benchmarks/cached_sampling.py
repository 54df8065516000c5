"""The speed of autoregressive models that draw from memory, beside drawing by whole passes, in one run.

Pictures of 32x32 of the networks of the small presets. Drawing by whole passes is a pass for each pixel (each number
of MADE), all alike, so some of them are timed and multiplied; drawing from memory is timed as it is. Both are processor
seconds of one thread.

``OMP_NUM_THREADS=1 python -m benchmarks.cached_sampling``; about two minutes of one processor core.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from benchmarks import history
from ganvas.core import catalogue
from ganvas.core.seeds import stream
from ganvas.nn.layers.initialise import initialise

SIDE, PICTURES, TIMED = 32, 16, 3
WANTED = 20.0
MODELS = ("made", "pixelcnn", "gated_pixelcnn", "pixelcnn_pp")


def main() -> None:
    """Times each model, records the ratios, and ends with an error where one is too small."""
    torch.set_num_threads(1)
    missed = []
    for name in sys.argv[1:] or MODELS:
        model = started(f"autoregressive/{name}")
        cached = seconds(lambda model=model: model.sample(PICTURES, stream(0, "draws")))
        images = torch.zeros(PICTURES, model.config.picture.channels, SIDE, SIDE)
        one = min(seconds(lambda model=model, images=images: whole_pass(model, images)) for _ in range(TIMED))
        passes = images[0].numel() if name == "made" else SIDE * SIDE
        ratio = passes * one / cached
        print(f"{name}: {cached:.2f} s from memory, {passes * one:.1f} s by {passes} passes: {ratio:.0f} times faster")
        history.record(f"cached_sampling.{name}", {"ratio": round(ratio, 1), "cached_cpu_sec": round(cached, 2)})
        if ratio < WANTED:
            missed.append(f"{name}: {ratio:.1f} times faster, and {WANTED:g} are wanted.")
    if missed:
        sys.exit("\n".join(missed))


def started(name: str) -> Any:
    """The network of the small preset at 32x32, with weights as they start."""
    config = catalogue.load("recipes", name).small().config
    model = catalogue.load("models", name).Model(replace(config, height=SIDE, width=SIDE))
    initialise(model, stream(0, "weights"))
    return model.eval()


@torch.no_grad()
def whole_pass(model: Any, images: Tensor) -> Tensor:
    """What drawing one pixel costs without a memory."""
    return model.log_prob(images, stream(0, "none"))


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds."""
    started_at = time.process_time()
    work()
    return time.process_time() - started_at


if __name__ == "__main__":
    main()
