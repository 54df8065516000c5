"""The gate of PixelCNN++: bits per dimension of scenes that it never saw, beside codes that learn nothing.

Trains ``--preset small`` on 4,000 scenes of 16x16 pixels and scores 1,000 others. The value must be below that of a
Gaussian with full covariance, which knows all that pairs of colours tell of each other, and above 2.5 bits: a network
that sees the pixel which it predicts falls through that floor, and looks like a triumph. The twin that is wrong on
purpose is such a network, and must fail the gate. The untrained network is the other end.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_pixelcnn [--keep FOLDER]``; about 6 minutes of one processor core.
"""

import argparse
import contextlib
import dataclasses
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from benchmarks.gates.preset_run import measured, preset_run

from benchmarks import history
from ganvas.core.shapes import Images, PerSample
from ganvas.losses.games.pixel_game import Numbers
from ganvas.losses.likelihoods.logistic_mixture import LogisticMixture
from ganvas.models.autoregressive.pixelcnn_pp import Model

DATA, HELD_OUT = "scenes:4000,16x16", "scenes:1000,16x16,seed=9"
WANTED = (2.5, 5.18)  # Bits per dimension: above a leak, below a Gaussian that was fitted on 8,000 scenes.
KIMG, WRONG_KIMG = 12.0, 6.0
SHALLOW = ("levels=1", "blocks=1", "features=16", "lr=0.005")  # Of the twin: enough to be wrong.


def main() -> None:
    """Trains, measures, records; ends with an error where the gate lets the wrong one through, or not the right one."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--keep", type=Path, help="where the run is to stay; it is removed where left out")
    kept = arguments.parse_args().keep
    torch.set_num_threads(1)
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with leaking():
            leak = trained(temporary / "wrong", WRONG_KIMG, *SHALLOW)[-1]
        _note("sees its own pixel", leak["bits_per_dimension"], kimg=WRONG_KIMG)
        started = time.process_time()
        first, *_, last = trained(kept or temporary / "run", KIMG)
        seconds = time.process_time() - started
    _note("untrained", first["bits_per_dimension"], kimg=0.0)
    for name in ("histogram", "png", "webp", "gaussian"):
        _note(name, last[f"bits_per_dimension.{name}"])
    found = last["bits_per_dimension"]
    _note("pixelcnn_pp", found, kimg=KIMG, cpu_sec=seconds, threads=1)
    low, high = WANTED
    if not low < found < high:
        sys.exit(f"{found:.3f} bits per dimension are not between {low} and {high}.")
    if leak["bits_per_dimension"] > low:
        sys.exit(f"A network that sees its own pixel passes with {leak['bits_per_dimension']:.3f} bits per dimension.")


def trained(out: Path, kimg: float, *changes: str) -> list[dict[str, float]]:
    """What was measured of a run of the small preset, at its start and its end."""
    return measured(preset_run("autoregressive/pixelcnn_pp", out, DATA, kimg, held_out=HELD_OUT, changes=changes))


@contextlib.contextmanager
def leaking() -> Iterator[None]:
    """While inside, each pixel's means are moved by the pixel itself: a short cut past the mask."""
    right = Model.log_prob_by

    def leaks(self: Model, numbers: Numbers, images: Images) -> PerSample:
        masked = self.distribution(numbers)
        assert isinstance(masked, LogisticMixture)
        moved = dataclasses.replace(masked, means=masked.means + images.unsqueeze(1))
        return moved.log_prob(images).sum((1, 2))

    Model.log_prob_by = leaks
    try:
        yield
    finally:
        Model.log_prob_by = right


def _note(code: str, value: float, **also: float) -> None:
    history.record("gate.pixelcnn", {"code": code, "bits_per_dimension": value, **also})


if __name__ == "__main__":
    main()
