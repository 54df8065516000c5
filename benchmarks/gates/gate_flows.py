"""The gates of flows: bits of scenes beside codes that learn nothing, laws of points, the gap, and a GAN's likelihood.

Six parts, each beside floors and a twin that is wrong on purpose, which must fail:

- ``glow``: ``--preset small`` on 8,000 scenes of 16x16, scored on 512 others: below a Gaussian with full covariance,
  and above 4 bits. The twin forgets the log-determinant of its 1x1 convolutions: its bits fall through that floor,
  and look like a triumph.
- ``glow_invariants``: a Glow with weights by chance has the log-determinant of its Jacobian, leads back, and finds a
  picture as probable alone as among others, each within 1e-5. Every twin breaks one of them: that of ``glow``; one
  whose splits score a picture by the prior of another; one whose couplings scale and then shift, and are undone in the
  other order; and one that counts the slopes of its way back. No training, seconds.
- ``points``: a spline flow on ``mixtures:ring8_wide``: KL from the law at most .1 nats, by fresh draws of the law, and
  90 % of what it draws at a mode. The twin draws latents of three times the deviation that it scores them by.
- ``ordering``: of flows of six layers of one width, a spline flow is nearest to a law, then a masked autoregressive
  flow, then a Real NVP of points, by fresh draws of the law: three rings of eight in three planes of six dimensions,
  turned. There a half of a point is more than a number. Of one ring in a plane the spline flow must be before the
  masked one alone: with two numbers a masked layer does what a coupling does, and chance orders those two. Twins: a
  masked flow whose layers all keep one order is not before the Real NVP, and one whose masks let a number see itself
  falls below the entropy of the law.
- ``gap``: two halves that are apart. The share of samples between them is never below what the steepest place of the
  generator allows; a GAN (``gan/wgan_gp``) ends within one and a half times that, and a spline flow, which is paid for
  likelihood and not for slope, spends more. The twin halves the slope, and the bound with it is broken.
- ``flow_gan``: the same flow trained by likelihood, by a critic, and by both, on grey scenes of 8x8: a critic alone
  finds held-out pictures less probable than noise. Of a NICE flow, and of a Real NVP as the model has it by default,
  annealed importance sampling with 1,000 and 200 temperatures is held against the exact density with the same noise:
  not above it, and short of it by no more than its certificate says. The twin takes the density of colours in another
  unit.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_flows [PART ...] [--keep FOLDER]``; about 20 minutes of one
processor core. What FOLDER holds is not trained again, and ``docs/figures/flow_figures.py --runs FOLDER`` draws it.
"""

import argparse
import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from benchmarks.gates.glow_twins import figures_of_twins, forgetful, off, small_glow
from benchmarks.gates.preset_run import NOTHING_BESIDE, measured, preset_run, runs_of
from jaxtyping import Float, Int64
from torch import Tensor

from benchmarks import history
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.data.points.mixtures import law_of
from ganvas.losses.capabilities import KnowsDensity
from ganvas.metrics.maths.gap_mass import equal_gap_mass
from ganvas.metrics.points.point_results import point_results
from ganvas.models.flow import maf
from ganvas.networks.masked_network import MaskedNetwork
from ganvas.tasks.likelihood import Likelihood, likelihood
from ganvas.train.trained import Trained, load

Figures = Mapping[str, float]
Rows = Int64[np.ndarray, " n"]

SCENES, HELD_OUT = "scenes:8000,16x16", "scenes:512,16x16,seed=9"
# Above a leak (a thousand scenes as one lossless WebP need 4.47), below a Gaussian that was fitted on 8,000 scenes.
LEAST_BITS, GAUSSIAN = 4.0, 5.18
GLOW_KIMG, WRONG_KIMG = 40.0, 16.0

MOST_OFF, WRONG = 1e-5, 1e-2  # A log-determinant, a way back and a density in float64: when right, and when wrong.

RING, MOST_KL, LEAST_SHARE = "ring8_wide", 0.1, 0.9
POINT_KIMG = 150.0
DRAWS = 20_000

NARROW_RING, ORDER_KIMG, LEAKY_KIMG = "ring8,sigma=0.1", 300.0, 60.0
MARGIN = 0.05  # Nats between two flows; the standard error of a paired difference is about .01.
PLANES, TRAINED = 3, 100_000
ORDERED = {  # From the nearest to the law to the farthest.
    "spline": ("flow/spline", ("couplings=6",)),
    "maf": ("flow/maf", ("layers=6",)),
    "realnvp": ("flow/spline", ("couplings=6", "coupling=affine")),
}

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


def glow_invariants(folder: Path) -> list[str]:
    """What holds of a Glow, and of none of its twins; ``folder`` stays as it is."""
    right, wrong = off(small_glow()), figures_of_twins()
    note("glow invariants", right, digits=9)
    for name, figures in wrong.items():
        note(f"glow invariants {name}", figures)
    missed = [f"flow/glow: {name} is off by {value:.2g}." for name, value in right.items() if value > MOST_OFF]
    return missed + [f"flow/glow with {name} passes." for name, found in wrong.items() if max(found.values()) < WRONG]


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
    return {"kl": divergence(trained, law), "share": found["modes.high_quality"]}


class KnownLaw(Protocol):
    """What a divergence wants of a law."""

    def points(self, indices: Rows, *, seed: int = 0) -> tuple[Float[np.ndarray, "n d"], object]: ...

    def log_density(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"] | None: ...


def divergence(trained: Trained, law: KnownLaw) -> float:
    """``E_law log law - log model``, over fresh draws of the law, in nats."""
    fresh = law.points(np.arange(DRAWS), seed=derive_seed(0, "gate of flows"))[0]
    exact = law.log_density(fresh.astype(np.float64))
    assert exact is not None
    with torch.no_grad():
        model = trained.require(KnowsDensity).log_density(torch.from_numpy(fresh).float())
    return float(np.mean(exact - model.double().numpy()))


def passes(figures: Figures) -> bool:
    """Whether the law is learnt and drawn."""
    return figures["kl"] <= MOST_KL and figures["share"] >= LEAST_SHARE


class TurnedRings:
    """Rings of eight, one a plane, in as many dimensions as they take, turned so that no number belongs to one ring."""

    def __init__(self) -> None:
        self.ring = law_of(RING)
        self.turn = np.linalg.qr(np.random.default_rng(5).normal(size=(2 * PLANES, 2 * PLANES)))[0]

    def points(self, indices: Rows, *, seed: int = 0) -> tuple[Float[np.ndarray, "n d"], object]:
        """Of three seeds, one a plane; no marks."""
        seeds = [derive_seed(seed, f"plane {plane}") for plane in range(PLANES)]
        return np.concatenate([self.ring.points(indices, seed=one)[0] for one in seeds], 1) @ self.turn.T, None

    def log_density(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """The sum of the rings' own: a turn changes no volume."""
        planes = np.split(points @ self.turn, PLANES, axis=1)
        found = [self.ring.log_density(plane) for plane in planes]
        return np.sum([one for one in found if one is not None], axis=0)


def ordering(folder: Path) -> list[str]:
    """Which flow is nearest to a law, of two laws, and what twins of the masked one do."""
    law, file = TurnedRings(), folder / "rings.npy"
    np.save(file, law.points(np.arange(TRAINED), seed=1)[0].astype(np.float32))
    turned = {name: nearness(folder / f"turned-{name}", str(file), law, *what) for name, what in ORDERED.items()}
    flat_law = law_of(NARROW_RING)
    flat = {
        name: nearness(folder / f"flat-{name}", f"mixtures:{NARROW_RING}", flat_law, *what)
        for name, what in ORDERED.items()
    }
    with one_order():
        kept = nearness(folder / "turned-one-order", str(file), law, *ORDERED["maf"])
    with seeing_itself():
        leak = nearness(folder / "flat-leak", f"mixtures:{NARROW_RING}", flat_law, *ORDERED["maf"], kimg=LEAKY_KIMG)
    note("ordering turned rings", turned | {"maf one order": kept}, kimg=ORDER_KIMG)
    note("ordering ring", flat | {"maf leaks": leak}, kimg=ORDER_KIMG)
    missed = [*misordered(turned), *misordered({name: flat[name] for name in ("spline", "maf")})]
    if kept + MARGIN < turned["realnvp"]:
        missed.append(f"flow/maf with one order of all layers is before the Real NVP, with {kept:.3f} nats.")
    if leak > -MARGIN:
        missed.append(f"flow/maf that sees the number it models is not below the entropy of the law, by {leak:.3f}.")
    return missed


def nearness(
    out: Path, data: str, law: KnownLaw, model: str, changes: tuple[str, ...], *, kimg: float = ORDER_KIMG
) -> float:
    """The divergence of a flow from the law that it was trained on."""
    how = (*NOTHING_BESIDE, "measure_kimg=-1", *changes)
    return divergence(load(preset_run(model, out, data, kimg, preset="mixtures", changes=how)), law)


def misordered(found: Figures) -> list[str]:
    """What is not below its neighbour by a margin, or below the least that a divergence can be."""
    wrong = [
        f"{near} ({found[near]:.3f} nats) is not before {far} ({found[far]:.3f})."
        for near, far in pairwise(found)
        if not found[near] + MARGIN <= found[far]
    ]
    impossible = [name for name, value in found.items() if not value >= -MARGIN]
    return wrong + [f"{name}: a divergence of {found[name]:.3f} nats." for name in impossible]


@contextlib.contextmanager
def one_order() -> Iterator[None]:
    """While inside, no layer of a masked flow turns the order round."""
    names = vars(sys.modules[maf.__name__])
    names["MaskedNetwork"] = lambda *sizes, backwards=False, **how: MaskedNetwork(*sizes, **how)
    try:
        yield
    finally:
        names["MaskedNetwork"] = MaskedNetwork


@contextlib.contextmanager
def seeing_itself() -> Iterator[None]:
    """While inside, what a masked network says of a number it says with that number."""
    honest = MaskedNetwork.masks

    def leaks(self: MaskedNetwork, number: Tensor) -> list[Tensor]:
        *hidden, _, direct = honest(self, number)
        wanted = self.places[number][0].repeat_interleave(self.outputs)[:, None]
        return [*hidden, (wanted >= self.degrees[number][0][-1]).float(), direct]

    MaskedNetwork.masks = leaks
    try:
        yield
    finally:
        MaskedNetwork.masks = honest


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


def note(what: str, figures: Figures, *, digits: int = 4, **also: float) -> None:
    """Into the history."""
    rounded = {name: round(value, digits) for name, value in (dict(figures) | also).items()}
    history.record(f"gate_flows.{what}", rounded)


PARTS: dict[str, Callable[[Path], list[str]]] = {
    "glow": glow,
    "glow_invariants": glow_invariants,
    "points": points,
    "ordering": ordering,
    "gap": gap,
    "flow_gan": flow_gan,
}

if __name__ == "__main__":
    main()
