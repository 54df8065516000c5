"""The gates of flows: bits of scenes beside codes that learn nothing, laws of points, the gap, and a GAN's likelihood.

Four parts, each beside floors and a twin that is wrong on purpose, which must fail:

- ``glow``: ``--preset small`` on 8,000 scenes of 16x16, scored on 512 others: below a Gaussian with full covariance,
  and above 4 bits. The twin forgets the log-determinant of its 1x1 convolutions: its bits fall through that floor,
  and look like a triumph.
- ``points``: a spline flow on ``mixtures:ring8_wide``: KL from the law at most .1 nats, by fresh draws of the law, and
  90 % of what it draws at a mode. The twin draws latents of three times the deviation that it scores them by.
- ``gap``: two halves that are apart. The share of samples between them is never below what the steepest place of the
  generator allows; a GAN (``gan/wgan_gp``) ends within one and a half times that, and a spline flow, which is paid for
  likelihood and not for slope, spends more. The twin halves the slope, and the bound with it is broken.
- ``flow_gan``: the same flow trained by likelihood, by a critic, and by both, on grey scenes of 8x8: a critic alone
  finds held-out pictures less probable than noise. Of a NICE flow, and of a Real NVP as the model has it by default,
  annealed importance sampling with 1,000 and 200 temperatures is held against the exact density with the same noise:
  not above it, and short of it by no more than its certificate says. The twin takes the density of colours in another
  unit.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_flows [PART ...] [--keep FOLDER]``; about 15 minutes of one
processor core. What FOLDER holds is not trained again, and ``docs/figures/flow_figures.py --runs FOLDER`` draws it.
"""

import argparse
import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from benchmarks.gates.preset_run import measured, preset_run, runs_of

from benchmarks import history
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.data.points.mixtures import law_of
from ganvas.losses.capabilities import KnowsDensity
from ganvas.metrics.maths.gap_mass import equal_gap_mass
from ganvas.metrics.points.point_results import point_results
from ganvas.nn.invertible.invertible_conv import PlainConv
from ganvas.tasks.likelihood import Likelihood, likelihood
from ganvas.train.trained import Trained, load

Figures = Mapping[str, float]

SCENES, HELD_OUT = "scenes:8000,16x16", "scenes:512,16x16,seed=9"
# Above a leak (a thousand scenes as one lossless WebP need 4.47), below a Gaussian that was fitted on 8,000 scenes.
LEAST_BITS, GAUSSIAN = 4.0, 5.18
GLOW_KIMG, WRONG_KIMG = 40.0, 16.0

RING, MOST_KL, LEAST_SHARE = "ring8_wide", 0.1, 0.9
POINT_KIMG = 150.0
DRAWS = 20_000

APART, GAP_FACTOR = "segments,gap=1.5", 1.5
GAN_KIMG, FLOW_KIMG, GAP_DRAWS = 400.0, 100.0, 8192

SMALL, SMALL_HELD_OUT = "scenes:4000,8x8", "scenes:512,8x8,seed=9"
GAN_FLOW_KIMG, SMALL_FLOW = 24.0, ("channels=1", "flow_features=8", "features=16")
QUICK_FLOWS = {  # To draw with.
    "nice": ("objective=likelihood", "network=nice", "channels=1", "flow_features=128", "blocks=2"),
    "realnvp": ("objective=likelihood", "network=realnvp", "channels=1", "flow_features=8", "blocks=1", "scales=1"),
}
LIGHT = ("likelihood_weight=0.01",)  # So that the critic is heard beside 300 nats.
NOISE_BITS = 8.0  # Of a uniform model: what every colour costs that nothing is known of.
VARIANCE = "1e-3"
TEMPERATURES = {"nice": 1000, "realnvp": 200}  # With which certificates are below the twin's error of 45 nats.


def main() -> None:
    """Runs the parts named, or all of them, and ends with an error where a gate is missed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all where left out")
    arguments.add_argument("--keep", type=Path, help="where the runs are to stay; they are removed where left out")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    missed: list[str] = []
    for name in given.parts or PARTS:
        with runs_of("gate.flows", keep=given.keep) as folder:
            missed += PARTS[name](folder)
    if missed:
        sys.exit("\n".join(missed))


def glow(folder: Path) -> list[str]:
    """Bits of held-out scenes."""
    with forgetful():
        wrong = bits(run("flow/glow", folder / "glow-wrong", SCENES, WRONG_KIMG, held_out=HELD_OUT))[-1]
    started = time.process_time()
    changes = (f"measure_kimg={GLOW_KIMG / 5}",)
    found = bits(run("flow/glow", folder / "glow", SCENES, GLOW_KIMG, held_out=HELD_OUT, changes=changes))
    seconds = round(time.process_time() - started, 1)
    note("glow no log-det of the 1x1", wrong, kimg=WRONG_KIMG)
    note("glow untrained", {"bits_per_dimension": found[0]["bits_per_dimension"]})
    note("glow", found[-1], kimg=GLOW_KIMG, cpu_sec=seconds)
    missed = []
    value, leak = found[-1]["bits_per_dimension"], wrong["bits_per_dimension"]
    if not LEAST_BITS < value < min(GAUSSIAN, found[-1]["bits_per_dimension.gaussian"]):
        missed.append(f"flow/glow: {value:.3f} bits per dimension are not between {LEAST_BITS} and {GAUSSIAN}.")
    if leak > LEAST_BITS:
        missed.append(f"flow/glow without the log-determinant of its 1x1 convolutions passes with {leak:.3f}.")
    return missed


@contextlib.contextmanager
def forgetful() -> Iterator[None]:
    """While inside, 1x1 convolutions say that they change no volume."""
    honest = PlainConv.log_abs_det
    PlainConv.log_abs_det = lambda self: self.weight.new_zeros(())
    try:
        yield
    finally:
        PlainConv.log_abs_det = honest


def points(folder: Path) -> list[str]:
    """KL from a known law, and the share of samples at a mode."""
    started = time.process_time()
    path = run("flow/spline", folder / "ring", f"mixtures:{RING}", POINT_KIMG)
    seconds = round(time.process_time() - started, 1)
    trained = load(path)
    right, wrong = of_law(trained), of_law(trained, temperature=3.0)
    note("spline", right, cpu_sec=seconds)
    note("spline latents three times as wide", wrong)
    start = measured(path)[0]
    note("spline untrained", {"kl": start["kl"], "share": start["modes.high_quality"]})
    missed = [] if passes(right) else [f"flow/spline: KL {right['kl']:.3f}, {right['share']:.2f} at a mode."]
    return missed + ["flow/spline passes with latents three times as wide."] * passes(wrong)


def of_law(trained: Trained, temperature: float | None = None) -> Figures:
    """KL from the law to the model, and the share of samples that lie at a mode."""
    law = law_of(RING)
    drawn = trained.sample_points(DRAWS, seed=1, temperature=temperature)
    found = {one.metric: one.value for one in point_results(drawn, law, name=RING, seed=1)}
    return {"kl": divergence(trained), "share": found["modes.high_quality"]}


def divergence(trained: Trained) -> float:
    """``E_law log law - log model``, over fresh draws of the law, in nats."""
    law = law_of(RING)
    fresh = law.points(np.arange(DRAWS), seed=derive_seed(0, "gate of flows"))[0]
    exact = law.log_density(fresh.astype(np.float64))
    assert exact is not None
    with torch.no_grad():
        model = trained.require(KnowsDensity).log_density(torch.from_numpy(fresh).float())
    return float(np.mean(exact - model.double().numpy()))


def passes(figures: Figures) -> bool:
    """Whether the law is learnt and drawn."""
    return figures["kl"] <= MOST_KL and figures["share"] >= LEAST_SHARE


def gap(folder: Path) -> list[str]:
    """The share of samples in the gap beside what the slope of a generator allows."""
    missed = []
    for model, kimg, factor in (("gan/wgan_gp", GAN_KIMG, GAP_FACTOR), ("flow/spline", FLOW_KIMG, math.inf)):
        preset = "gap" if model == "gan/wgan_gp" else "mixtures"
        path = run(model, folder / f"gap-{model.rpartition('/')[2]}", f"mixtures:{APART}", kimg, preset=preset)
        found = measured(path)[-1]
        found = {name: value for name, value in found.items() if name.startswith("gap_mass")}
        mass, bound = found["gap_mass"], found["gap_mass.bound"]
        law = law_of(APART)
        assert law.gap is not None
        halved = equal_gap_mass(law.gap.high - law.gap.low, found["gap_mass.lipschitz"] / 2)
        note(f"gap {model}", found | {"bound_at_half_the_slope": halved})
        error = 2 * math.sqrt(mass / GAP_DRAWS)
        if not bound - error <= mass <= factor * bound + error:
            missed.append(f"{model}: {mass:.4f} of the samples lie in the gap, and the bound is {bound:.4f}.")
        if factor < math.inf and mass + error >= halved:
            missed.append(f"{model}: the bound holds with half the slope too.")
    return missed


def flow_gan(folder: Path) -> list[str]:
    """Bits under three objectives, and an estimate held against what is known."""
    found = {}
    for objective in ("likelihood", "hybrid", "adversarial"):
        path = run(
            "flow/flow_gan",
            folder / f"gan-{objective}",
            SMALL,
            GAN_FLOW_KIMG,
            held_out=SMALL_HELD_OUT,
            changes=(f"objective={objective}", *SMALL_FLOW, *(LIGHT if objective == "hybrid" else ())),
        )
        found[objective] = bits(path)[-1]["bits_per_dimension"]
    note("flow_gan", found)
    missed = [line for network in QUICK_FLOWS for line in annealed(folder, network)]
    if not found["likelihood"] < found["hybrid"] < NOISE_BITS < found["adversarial"]:
        missed.append(f"flow/flow_gan: bits per dimension are not in their order: {found}.")
    return missed


def annealed(folder: Path, network: str) -> list[str]:
    """An estimate held against what is known, of one network."""
    changes = QUICK_FLOWS[network]
    known = run("flow/flow_gan", folder / network, SMALL, GAN_FLOW_KIMG, held_out=SMALL_HELD_OUT, changes=changes)
    how = {"n": 4, "simulated": 2, "chains": 4, "temperatures": TEMPERATURES[network], "variance": VARIANCE}
    started = time.process_time()
    held = likelihood(Likelihood(run=known, data=SMALL_HELD_OUT, quiet=True, device="cpu", **how))
    estimate = {one.metric: one.value for one in held.results}
    note(f"flow_gan ais {network}", estimate, cpu_sec=round(time.process_time() - started, 1))
    missed = []
    if not agrees(estimate, estimate["ais.exact"]):
        missed.append(f"flow/flow_gan of {network}: AIS is short by {estimate['ais.shortfall']:.3g} nats.")
    per_unit = estimate["ais.exact"] - 8 * 8 * math.log(256 / 127.5)
    if agrees(estimate, per_unit):
        missed.append(f"flow/flow_gan of {network}: AIS agrees with a density of colours in another unit.")
    return missed


def agrees(estimate: Figures, exact: float) -> bool:
    """Whether an estimate is not above the exact value, and short of it by no more than its certificate, in nats."""
    slack = 3.0
    return -slack <= exact - estimate["ais"] <= slack + max(estimate["ais.gap"], 0.0)


def run(
    model: str,
    out: Path,
    data: str,
    kimg: float,
    *,
    held_out: str | None = None,
    preset: str | None = None,
    changes: tuple[str, ...] = (),
) -> Path:
    """A run of a small preset on one thread, measured at its start and its end; one that is there goes on."""
    points = data.startswith("mixtures")
    many = (f"measure_n={GAP_DRAWS}",) if points else ()
    chosen = preset or ("mixtures" if points else "small")
    return preset_run(model, out, data, kimg, preset=chosen, held_out=held_out, changes=(*many, *changes))


def bits(path: Path) -> list[dict[str, float]]:
    """Bits per dimension and yardsticks of each measurement of a run."""
    return [{name: value for name, value in line.items() if name.startswith("bits_per")} for line in measured(path)]


def note(what: str, figures: Figures, **also: float) -> None:
    """Into the history."""
    rounded = {name: round(value, 4) for name, value in (dict(figures) | also).items()}
    history.record(f"gate_flows.{what}", rounded)


PARTS: dict[str, Callable[[Path], list[str]]] = {"glow": glow, "points": points, "gap": gap, "flow_gan": flow_gan}

if __name__ == "__main__":
    main()
