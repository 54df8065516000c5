"""The gates of PixelCNN, Gated PixelCNN and MADE: likelihoods of what they never saw, between a leak and a code.

PixelCNN and Gated PixelCNN train ``--preset small`` on 8,000 scenes of 16x16 pixels and score 512 others, in bits per
dimension: below a Gaussian with full covariance (5.18) by the end, and above 2.5 bits, under which only a network that
sees the pixel which it predicts falls. The twin that is wrong on purpose is such a network: mask B stands first, and
one block behind it, through which a colour reaches the mixture within the same length. MADE trains ``--preset
mixtures`` on eight Gaussians of a known law: its divergence from the law must lie between 0, below which only a leak
gets, and 0.15 nats. Its twin sees its own number. All stand beside themselves before the first step.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_autoregressive [PART ...]``; about 7 minutes of one processor core.
"""

import contextlib
import functools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from benchmarks.gates.preset_run import measured, preset_run, run_parts

from benchmarks import history
from ganvas.models.autoregressive import gated_pixelcnn, pixelcnn
from ganvas.networks.masked_network import MaskedNetwork
from ganvas.nn.layers.causal_conv import LeftConv2d

SCENES, HELD_OUT, KIMG = "scenes:8000,16x16", "scenes:512,16x16,seed=9", 30.0
SHALLOW = ("blocks=1", "lr=0.005")  # Of the twin: enough to be wrong, and what it sees passes through fewer layers.
POINTS, POINTS_KIMG, WRONG_POINTS_KIMG = "mixtures:ring8", 1000.0, 500.0
BITS, DIVERGENCE = (2.5, 5.18), (-0.05, 0.15)  # The divergence is found from 4,096 points, within some hundredths.

Figures = tuple[float, float]  # Before the first step, and at the end.


def main() -> None:
    """Trains each twin and each model, records what they reach, and ends with an error where a gate is missed."""
    parts = {f"{name}_twin": functools.partial(leaks, name) for name in GATES}
    run_parts(parts | {name: functools.partial(failures, name) for name in GATES}, __doc__)


def failures(name: str) -> list[str]:
    """What is not as it should be of one model."""
    figures_of, _, (low, high) = GATES[name]
    started = time.process_time()
    with tempfile.TemporaryDirectory() as temporary:
        untrained, found = figures_of(name, Path(temporary) / "run", wrong=False)
    cpu_sec = round(time.process_time() - started, 1)
    history.record(f"gate_autoregressive.{name} untrained", {"value": untrained})
    history.record(f"gate_autoregressive.{name}", {"value": found, "cpu_sec": cpu_sec, "threads": 1})
    missed = [] if untrained > high else [f"{name} passes before the first step: {untrained:.3f}."]
    return missed if low < found < high else [*missed, f"{name}: {found:.3f} is not between {low} and {high}."]


def leaks(name: str) -> list[str]:
    """What is not as it should be of one model's twin: it must fail by what it knows, not for want of training."""
    figures_of, twin, (low, _) = GATES[name]
    with tempfile.TemporaryDirectory() as temporary, twin():
        _, wrong = figures_of(name, Path(temporary) / "wrong", wrong=True)
    history.record(f"gate_autoregressive.{name} leaking", {"value": wrong})
    return [] if wrong < low else [f"{name} with a leak is at {wrong:.3f}, and not below {low}."]


def bits_of(name: str, out: Path, *, wrong: bool) -> Figures:
    """Bits per dimension of held-out scenes."""
    changes = ("measure_n=512", *(SHALLOW if wrong else ()))
    run = preset_run(f"autoregressive/{name}", out, SCENES, KIMG, held_out=HELD_OUT, changes=changes)
    return _ends(run, "bits_per_dimension")


def divergence_of(name: str, out: Path, *, wrong: bool) -> Figures:
    """``E[ln p - ln q]`` in nats over fresh points of the law p."""
    kimg = WRONG_POINTS_KIMG if wrong else POINTS_KIMG
    run = preset_run(f"autoregressive/{name}", out, POINTS, kimg, preset="mixtures", changes=("measure_n=4096",))
    return _ends(run, "kl")


def _ends(run: Path, name: str) -> Figures:
    first, *_, last = measured(run)
    return first[name], last[name]


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
    masks = MaskedNetwork.masks

    def leaks(self: MaskedNetwork, number: torch.Tensor) -> list[torch.Tensor]:
        *others, direct = masks(self, number)
        wanted = self.places[number][0].repeat_interleave(self.outputs)[:, None]
        return [*others, torch.maximum(direct, (wanted == self.places[number][0]).float())]

    MaskedNetwork.masks = leaks
    try:
        yield
    finally:
        MaskedNetwork.masks = masks


Measured = Callable[..., Figures]
Twin = Callable[[], contextlib.AbstractContextManager[None]]
GATES: dict[str, tuple[Measured, Twin, tuple[float, float]]] = {
    "gated_pixelcnn": (bits_of, functools.partial(mask_b_first, gated_pixelcnn), BITS),
    "pixelcnn": (bits_of, functools.partial(mask_b_first, pixelcnn), BITS),
    "made": (divergence_of, own_number, DIVERGENCE),
}

if __name__ == "__main__":
    main()
