"""The gates of EDM and flow matching: pictures near enough to real ones, a bound below a Gaussian's bits, all modes.

Each trains ``--preset small`` on 5,000 scenes of 16x16 pixels. Wanted: a sliced Wasserstein distance (256 drawn, 256
real) below 110, where the untrained network has about 230 and real scenes have about 27, and at most 5.3 bits per
dimension of 256 held-out scenes, where a Gaussian has 5.19; above 2.5, since nothing true is so low. Each also trains
``--preset mixtures`` on eight Gaussians: all of them, and 90 % of the samples within three standard deviations of one.
The twins that are wrong on purpose: EDM whose network is not shown past (``c_skip = 0``), flow matching that is taught
the way back.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_diffusion [MODEL ...] [--of scenes|points]``; about 9 minutes of one
processor core.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from benchmarks.gates.preset_run import measured, preset_run

from benchmarks import history
from ganvas.core.shapes import Labels, PerSample, Samples
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Terms
from ganvas.models.diffusion import edm, flow_matching

SCENES, HELD_OUT, KIMG, WRONG_KIMG = "scenes:5000,16x16", "scenes:256,16x16,seed=9", 15.0, 4.0
SWD, BITS = 110.0, (2.5, 5.3)
MODES, SHARE, POINTS_KIMG, WRONG_POINTS_KIMG = 8, 0.9, 1500.0, 300.0

Figures = dict[str, float]


def main() -> None:
    """Trains each model and its twin, records what they reach, and ends with an error where a gate is missed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(TWINS)}; all where left out")
    arguments.add_argument("--of", choices=list(PARTS), help="one part alone")
    given = arguments.parse_args()
    if unknown := set(given.models) - set(TWINS):
        arguments.error(f"{unknown.pop()} is none of {', '.join(TWINS)}")
    torch.set_num_threads(1)
    parts = [given.of] if given.of else list(PARTS)
    missed = [failure for model in given.models or TWINS for part in parts for failure in failures(model, part)]
    if missed:
        sys.exit("\n".join(missed))


def failures(model: str, part: str) -> list[str]:
    """What is not as it should be of one model."""
    reached, passes = PARTS[part]
    with tempfile.TemporaryDirectory() as temporary:
        with TWINS[model]():
            _, wrong = reached(model, Path(temporary) / "wrong", wrong=True)
        started = time.process_time()
        untrained, trained = reached(model, Path(temporary) / "run", wrong=False)
    cost = {"cpu_sec": round(time.process_time() - started, 1), "threads": 1}
    name = f"gate_diffusion.{model.rpartition('/')[2]} of_{part}"
    for form, figures in (("wrong", wrong), ("untrained", untrained), ("", trained | cost)):
        history.record(f"{name} {form}".strip(), figures)
    passing = [
        f"{name} passes {form}." for form, figures in (("wrong", wrong), ("untrained", untrained)) if passes(figures)
    ]
    return passing if passes(trained) else [*passing, f"{name} is missed: {trained}."]


def near_scenes(figures: Figures) -> bool:
    """Whether the pictures are near enough to real ones and the bound is where it can be."""
    return figures["swd"] < SWD and BITS[0] < figures["bits_per_dimension"] < BITS[1]


def near_points(figures: Figures) -> bool:
    """Whether every mode is reached and enough samples lie at one."""
    return figures["modes"] == MODES and figures["modes.high_quality"] >= SHARE


def of_scenes(model: str, out: Path, *, wrong: bool) -> tuple[Figures, Figures]:
    """Before the first step and at the end: the distance of drawn from real scenes, and bits of others."""
    run = preset_run(model, out, SCENES, WRONG_KIMG if wrong else KIMG, held_out=HELD_OUT)
    return _ends(run, "swd", "bits_per_dimension")


def of_points(model: str, out: Path, *, wrong: bool) -> tuple[Figures, Figures]:
    """Before the first step and at the end: modes that are reached, and the share of samples at one."""
    run = preset_run(model, out, "mixtures:ring8", WRONG_POINTS_KIMG if wrong else POINTS_KIMG, preset="mixtures")
    return _ends(run, "modes", "modes.high_quality")


def _ends(run: Path, *names: str) -> tuple[Figures, Figures]:
    first, *_, last = measured(run)
    return {name: first[name] for name in names}, {name: last[name] for name in names}


@contextlib.contextmanager
def without_skip() -> Iterator[None]:
    """While inside, ``c_skip`` is 0: the network alone must say every sample, however little noise is in it."""
    right = edm.preconditioning

    def wrong(sigma: PerSample, config: edm.Config) -> tuple[PerSample, PerSample, PerSample, PerSample]:
        skip, out, into, said = right(sigma, config)
        return 0 * skip, out, into, said

    edm.preconditioning = wrong
    try:
        yield
    finally:
        edm.preconditioning = right


@contextlib.contextmanager
def backwards() -> Iterator[None]:
    """While inside, the velocity is taught from sample to noise."""
    right = flow_matching.Model.velocity

    def wrong(self: flow_matching.Model, x: Samples, time: PerSample, labels: Labels | None) -> Samples:
        return -right(self, x, time, labels)

    loss_of = flow_matching.Model.loss_of

    def taught(self: flow_matching.Model, x: Samples, labels: Labels | None, batch: Pictures | Points) -> Terms:
        flow_matching.Model.velocity = wrong
        try:
            return loss_of(self, x, labels, batch)
        finally:
            flow_matching.Model.velocity = right

    flow_matching.Model.loss_of = taught
    try:
        yield
    finally:
        flow_matching.Model.loss_of = loss_of


TWINS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "diffusion/edm": without_skip,
    "diffusion/flow_matching": backwards,
}
PARTS: dict[str, tuple[Callable[..., tuple[Figures, Figures]], Callable[[Figures], bool]]] = {
    "scenes": (of_scenes, near_scenes),
    "points": (of_points, near_points),
}

if __name__ == "__main__":
    main()
