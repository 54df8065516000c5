"""The gates of PixelCNN, Gated PixelCNN and MADE: likelihoods of what they never saw, between a leak and a code.

PixelCNN and Gated PixelCNN train ``--preset small`` on 8,000 scenes of 16x16 pixels and score 512 others, in bits per
dimension: below a Gaussian with full covariance (5.18) by the end, and above 2.5 bits, under which only a network that
sees the pixel which it predicts falls. The twin that is wrong on purpose is such a network: mask B stands first. MADE
trains ``--preset mixtures`` on eight Gaussians of a known law: its divergence from the law is found from log densities
of both at the same points, and must lie between 0, below which only a leak gets, and 0.1 nats. Its twin sees its own
number. All stand beside themselves before the first step.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_autoregressive [MODEL ...]``; about 8 minutes of one processor core.
"""

import contextlib
import functools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from benchmarks.gates.gate_pixelcnn import bits

from benchmarks import history
from ganvas.core.seeds import stream
from ganvas.data.points.packed_points import prepare_points
from ganvas.models.autoregressive import gated_pixelcnn, made, pixelcnn
from ganvas.nn.layers.causal_conv import LeftConv2d
from ganvas.nn.layers.initialise import initialise
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

SCENES, HELD_OUT, KIMG, WRONG_KIMG = "scenes:8000,16x16", "scenes:512,16x16,seed=9", 10.0, 3.0
POINTS, OTHER_POINTS = "mixtures:ring8", "mixtures:ring8,seed=9"
BITS, DIVERGENCE = (2.5, 5.18), (-0.01, 0.1)  # The points are 20,000: a hundredth is more than two standard errors.

Figures = tuple[float, float]  # Before the first step, and at the end.


def main() -> None:
    """Trains each model and its twin, records what they reach, and ends with an error where a gate is missed."""
    torch.set_num_threads(1)
    missed = [failure for name in sys.argv[1:] or GATES for failure in failures(name)]
    if missed:
        sys.exit("\n".join(missed))


def failures(name: str) -> list[str]:
    """What is not as it should be of one model."""
    measured, twin, (low, high) = GATES[name]
    with tempfile.TemporaryDirectory() as temporary:
        with twin():
            _, wrong = measured(name, Path(temporary) / "wrong", wrong=True)
        started = time.process_time()
        untrained, found = measured(name, Path(temporary) / "run", wrong=False)
    cpu_sec = round(time.process_time() - started, 1)
    history.record(f"gate_autoregressive.{name} leaking", {"value": wrong})
    history.record(f"gate_autoregressive.{name} untrained", {"value": untrained})
    history.record(f"gate_autoregressive.{name}", {"value": found, "cpu_sec": cpu_sec, "threads": 1})
    values = {"no step": untrained, "a leak": wrong}
    passing = [f"{name} passes with {twin}: {value:.3f}." for twin, value in values.items() if low < value < high]
    return passing if low < found < high else [*passing, f"{name}: {found:.3f} is not between {low} and {high}."]


def bits_of(name: str, out: Path, *, wrong: bool) -> Figures:
    """Bits per dimension of held-out scenes."""
    kimg = WRONG_KIMG if wrong else KIMG
    changes = (f"measure_kimg={kimg}", "sample_kimg=1000", "measure_n=512")
    train(
        Train(
            model=f"autoregressive/{name}",
            data=SCENES,
            held_out=HELD_OUT,
            out=out,
            preset="small",
            kimg=kimg,
            set=changes,
            threads=1,
            device="cpu",
            estimate=False,
        )
    )
    lines = bits(out)
    return lines[0]["bits_per_dimension"], lines[-1]["bits_per_dimension"]


def divergence_of(name: str, out: Path, *, wrong: bool) -> Figures:
    """``E[ln p - ln q]`` in nats over points of the law p."""
    train(
        Train(
            model=f"autoregressive/{name}",
            data=POINTS,
            out=out,
            preset="mixtures",
            kimg=100.0 if wrong else None,
            set=("measure_kimg=-1", "sample_kimg=10000"),
            threads=1,
            device="cpu",
            estimate=False,
        )
    )
    packed = prepare_points(OTHER_POINTS, quiet=True)
    points = packed.read(slice(0, 20_000))
    assert packed.mixture is not None
    known = packed.mixture.log_density(points.astype("float64"))
    assert known is not None
    trained = load(out)
    fresh = made.Model(trained.model.config)
    fresh.load_state_dict(trained.model.state_dict())
    initialise(fresh, stream(0, "weights"))
    values = []
    for model in (fresh, trained.model):
        assert isinstance(model, made.Model)
        with torch.no_grad():
            said = model.log_prob(torch.from_numpy(points), stream(0, "none"))
        values.append(float((torch.from_numpy(known) - said).mean()))
    return values[0], values[1]


@contextlib.contextmanager
def mask_b_first(module: object) -> Iterator[None]:
    """While inside, the first layer of a model's file sees its own pixel."""
    names = vars(module)
    masked = names["LeftConv2d"]
    names["LeftConv2d"] = lambda *sizes, own=True, **how: LeftConv2d(*sizes, own=True, **how)
    try:
        yield
    finally:
        names["LeftConv2d"] = masked


@contextlib.contextmanager
def own_number() -> Iterator[None]:
    """While inside, an output of MADE is connected to the number that it predicts."""
    masks = made.Network.masks

    def leaks(self: made.Network, number: torch.Tensor) -> list[torch.Tensor]:
        *others, direct = masks(self, number)
        wanted = self.places[number][0].repeat_interleave(self.outputs)[:, None]
        return [*others, torch.maximum(direct, (wanted == self.places[number][0]).float())]

    made.Network.masks = leaks
    try:
        yield
    finally:
        made.Network.masks = masks


Measured = Callable[..., Figures]
Twin = Callable[[], contextlib.AbstractContextManager[None]]
GATES: dict[str, tuple[Measured, Twin, tuple[float, float]]] = {
    "gated_pixelcnn": (bits_of, functools.partial(mask_b_first, gated_pixelcnn), BITS),
    "pixelcnn": (bits_of, functools.partial(mask_b_first, pixelcnn), BITS),
    "made": (divergence_of, own_number, DIVERGENCE),
}

if __name__ == "__main__":
    main()
