"""Makes the figures of docs/first-principles.md, and prints the numbers that the page states.

python docs/figures/first_principles.py [--only NAME ...]

    losses       first_principles_losses.svg       what an unconstrained critic's loss does, and three that are held
    lipschitz    first_principles_lipschitz.svg    how steep critics are, beside the bound of their layers
    distances    first_principles_distances.svg    KL, JS and Wasserstein of two parallel lines as they part
    samples      first_principles_samples.svg      the loss as a mean over samples
    gap          first_principles_gap.svg          the mass that a generator must leave between two halves
    game         first_principles_game.png         three moments of a game on eight modes
    minute       (a table)                         eight modes in less than a minute of one core

About four minutes of one processor core.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from figure_parts import said, write_svg
from PIL import Image
from torch import Tensor, nn

from ganvas.core.run_folder import RunFolder
from ganvas.core.seeds import stream, torch_seeded
from ganvas.losses.adversarial import non_saturating_discriminator, wasserstein_discriminator
from ganvas.losses.penalties import gradient_penalty
from ganvas.metrics.maths.distances.known_density import divergences
from ganvas.metrics.maths.gap_mass import equal_gap_mass
from ganvas.metrics.maths.lipschitz import product_of_norms, steepest
from ganvas.networks.fully_connected import FullyConnected
from ganvas.nn.norms.spectral_norm import SpectralNorm
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.report.drawing.primitives import Item
from ganvas.tasks.train import Train, train

HERE = Path(__file__).parent
WIDTH, DEPTH, BATCH = 64, 3, 256
CLIP, PENALTY, BLUR = 0.1, 10.0, 0.25
KINDS = ("none", "clip", "penalty", "spectral norm")
KIMG = {"gan/wgan_gp": 800.0, "gan/sngan": 500.0}


class Lines:
    """Two parallel lines in a plane: points of length-1 segments at x = 0 and at x = distance, by the batch."""

    def __init__(self, distance: float, *, seed: int) -> None:
        self.distance, self.rng = distance, stream(seed, "lines")

    def pair(self, n: int) -> tuple[Tensor, Tensor]:
        """Points of the first line, and of the second."""
        sides = []
        for x in (0.0, self.distance):
            along = torch.rand(n, 1, generator=self.rng) - 0.5
            sides.append(torch.cat([torch.full((n, 1), x), along], 1))
        return sides[0], sides[1]


def critic(kind: str, *, seed: int) -> nn.Sequential:
    """A critic of points in a plane; under spectral normalisation every layer has the norm 1."""
    with torch_seeded(seed):
        layers = FullyConnected(2, 1, width=WIDTH, depth=DEPTH)
        for layer in layers:
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()
        if kind != "spectral norm":
            return layers
        normed = nn.Sequential(*(SpectralNorm(one) if isinstance(one, nn.Linear) else one for one in layers))
    for one in normed:
        if isinstance(one, SpectralNorm):
            one.power.reset(stream(seed, "power method"))
    return normed


def plain(network: nn.Sequential) -> nn.Sequential:
    """The same function in layers of plain weights."""
    layers = []
    for one in network:
        if isinstance(one, SpectralNorm):
            weight = (one.power.weight() / one.power.sigma()).detach()
            linear = nn.Linear(weight.shape[1], weight.shape[0])
            bias = one.layer.bias
            with torch.no_grad():
                linear.weight.copy_(weight)
                linear.bias.copy_(bias)
            layers.append(linear)
        else:
            layers.append(one)
    return nn.Sequential(*layers)


def learn(
    network: nn.Sequential, data: Lines, kind: str, *, steps: int, seen: Callable[[int, float], None] | None = None
) -> None:
    """Moves a critic towards the largest ``E D(x) - E D(y)``, held as its kind says."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.5, 0.9))
    mixing = stream(0, "mixing")
    for step in range(steps):
        real, fake = data.pair(BATCH)
        loss = wasserstein_discriminator(network(real)[:, 0], network(fake)[:, 0]).mean()
        if seen:
            seen(step, float(loss.detach()))
        if kind == "penalty":
            mix = torch.rand(BATCH, generator=mixing)
            loss = loss + gradient_penalty(lambda x: network(x)[:, 0], real, fake, mix, weight=PENALTY).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if kind == "clip":
            with torch.no_grad():
                for weight in network.parameters():
                    weight.clamp_(-CLIP, CLIP)


def losses(steps: int = 1500) -> dict[str, tuple[np.ndarray, np.ndarray, list[tuple[int, float, float]]]]:
    """For every kind of critic: steps, losses, and at some steps its steepest place and the product of its norms."""
    found = {}
    for kind in KINDS:
        network, at, value, slopes = critic(kind, seed=1), [], [], []

        def seen(step: int, loss: float, network=network, at=at, value=value, slopes=slopes) -> None:
            at.append(step + 1)
            value.append(loss)
            if step % 100 == 99:
                places = torch.rand(1024, 2, generator=stream(step, "places")) * torch.tensor([2.0, 1.4]) - 0.5
                slope = steepest(plain(network), places, stream(step, "search"))
                slopes.append((step + 1, slope, product_of_norms(plain(network))))

        learn(network, Lines(1.0, seed=2), kind, steps=steps, seen=seen)
        found[kind] = (np.array(at), np.array(value), slopes)
        _, slope, bound = slopes[-1]
        said(f"{kind}: loss {value[-1]:.4g}, steepest {slope:.4g}, product of norms {bound:.4g}")
    return found


def figure_losses() -> None:
    """Two drawings of one training: the losses, and the slopes."""
    found = losses()
    curves = [Curve(name=kind, x=at[::10], y=-value[::10]) for kind, (at, value, _) in found.items()]
    axes = Axes(x_title="Steps of the critic", y_title="Minus its loss: E D(x) - E D(y)", log_y=True)
    write_svg("first_principles", "losses", chart(curves, (6, 0, 434, 240), axes=axes), (440, 240))
    curves = []
    for _, _, slopes in found.values():
        at, slope, bound = np.array(slopes).T
        curves += [Curve(name="steepest", x=at, y=slope), Curve(name="product of norms", x=at, y=bound)]
    items: list[Item] = []
    for index, kind in enumerate(KINDS):
        two = curves[2 * index : 2 * index + 2]
        place = (6 + (index % 2) * 240.0, (index // 2) * 160.0, 226.0, 152.0)
        items += chart(two, place, axes=Axes(title=kind, x_title="Steps", y_title="Slope", log_y=True))
    write_svg("first_principles", "lipschitz", items, (480, 320))


def figure_distances() -> None:
    """KL, JS and Wasserstein of two lines over their distance: closed forms, and what trained critics say."""
    distances = np.array([0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0])
    w, js, slope = [], [], []
    for distance in distances:
        network = critic("penalty", seed=3)
        learn(network, Lines(distance, seed=4), "penalty", steps=600)
        real, fake = Lines(distance, seed=5).pair(4096)
        with torch.no_grad():
            w.append(float((network(real) - network(fake)).mean().abs()))
        value, push = judge(distance)
        js.append(value)
        slope.append(push)
        said(f"distance {distance}: W {w[-1]:.4f}, JS {js[-1]:.4f}, mean slope of log(1 - D) at the fakes {push:.2g}")
    fine = np.linspace(0, distances[-1], 40)
    left = [
        Curve(name="d", x=distances, y=distances, colour="#0072b2"),
        Curve(name="d + d^2 / 20", x=fine, y=fine + fine**2 / (2 * PENALTY), colour="#56b4e9"),
        Curve(name="critic with penalty", x=distances, y=np.array(w), joined=False, marks=True, colour="#0072b2"),
    ]
    right = [
        Curve(name="log 2", x=fine, y=np.full(len(fine), math.log(2)), colour="#d55e00"),
        Curve(name="discriminator", x=distances, y=np.array(js), joined=False, marks=True, colour="#d55e00"),
    ]
    of_js = Axes(x_title="Distance of the lines", y_title="Jensen-Shannon divergence (nats)", y_range=(-0.03, 0.75))
    blurred = [kl_of_blurred_lines(distance) for distance in distances]
    said("KL of blurred lines:", " ".join(f"{value:.3f}" for value in blurred))
    third = [
        Curve(name="d^2 / 2 s^2", x=fine, y=fine**2 / (2 * BLUR**2), colour="#009e73"),
        Curve(name="nearest neighbours", x=distances, y=np.array(blurred), joined=False, marks=True, colour="#009e73"),
    ]
    of_kl = Axes(x_title="Distance of the lines", y_title=f"KL of lines blurred by {BLUR:g} (nats)")
    items = [
        *chart(left, (6, 0, 208, 210), axes=Axes(x_title="Distance of the lines", y_title="Wasserstein distance")),
        *chart(right, (222, 0, 214, 210), axes=of_js),
        *chart(third, (444, 0, 214, 210), axes=of_kl),
    ]
    write_svg("first_principles", "distances", items, (660, 210))


def kl_of_blurred_lines(distance: float, n: int = 4000) -> float:
    """``KL(q || p)`` by nearest neighbours, of lines with normal noise across: the closed form is ``d^2 / 2 s^2``."""
    rng = np.random.default_rng(12)
    draws, samples = (
        np.stack([x + BLUR * rng.standard_normal(n), rng.uniform(-0.5, 0.5, n)], axis=1) for x in (0.0, distance)
    )

    def log_density(points: np.ndarray) -> np.ndarray:
        return -((points[:, 0] / BLUR) ** 2) / 2 - math.log(BLUR * math.sqrt(2 * math.pi))

    return divergences(samples, draws, log_density).reverse_kl


def judge(distance: float) -> tuple[float, float]:
    """JS as a trained discriminator bounds it from below, and the mean slope that the minimax generator feels.

    The best discriminator's value is ``2 JS - log 4`` (Goodfellow et al. 2014, theorem 1).
    """
    network, data = critic("none", seed=6), Lines(distance, seed=7)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.5, 0.9))
    for _ in range(600):
        real, fake = data.pair(BATCH)
        loss = non_saturating_discriminator(network(real)[:, 0], network(fake)[:, 0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    real, fake = Lines(distance, seed=8).pair(4096)
    places = fake.requires_grad_()
    judged = network(places)[:, 0]
    (gradient,) = torch.autograd.grad(-nn.functional.softplus(judged).sum(), places)
    with torch.no_grad():
        value = -non_saturating_discriminator(network(real)[:, 0], judged).mean()
    return float(value + math.log(4)) / 2, float(gradient.norm(dim=1).mean())


def figure_samples() -> None:
    """How far the mean over n samples lies from the mean over all, for a critic that stands still."""
    network = critic("penalty", seed=9)
    learn(network, Lines(1.0, seed=10), "penalty", steps=400)
    data = Lines(1.0, seed=11)
    with torch.no_grad():
        real, fake = data.pair(200_000)
        a, b = network(real)[:, 0].double(), network(fake)[:, 0].double()
    sizes = np.array([8, 16, 32, 64, 128, 256, 512, 1024])
    found = [float((a[: 100 * n].view(100, n).mean(1) - b[: 100 * n].view(100, n).mean(1)).std()) for n in sizes]
    exact = np.sqrt(float(a.var() + b.var()) / sizes)
    curves = [
        Curve(name="sqrt((var D(x) + var D(y)) / n)", x=sizes, y=exact),
        Curve(name="100 batches of n", x=sizes, y=np.array(found), joined=False, marks=True),
    ]
    axes = Axes(x_title="Samples in a batch", y_title="Standard deviation of the loss", log_x=True, log_y=True)
    write_svg("first_principles", "samples", chart(curves, (6, 0, 350, 220), axes=axes), (360, 220))
    said("samples:", dict(zip(sizes.tolist(), np.round(np.array(found) / exact, 2).tolist(), strict=True)))


def figure_gap(folder: Path) -> None:
    """Mass in the gap of two segments over the generator's steepest place, at all moments of a run."""
    run = folder / "gap"
    train(
        Train(
            model="gan/wgan_gp", data="mixtures:segments,gap=1.5,20000", out=run, kimg=500.0, threads=1, quiet=True,
            estimate=False, preset="gap", set=("measure_kimg=30", "measure_n=2000", "sample_kimg=10000"),
        )
    )  # fmt: skip
    lines = RunFolder(run).lines("measures.jsonl")
    found = [{one["metric"]: one for one in line["results"]} for line in lines]
    found = [one for one in found if one["gap_mass"]["value"] < 1]  # Samples have reached both halves.
    steep = np.array([one["gap_mass.lipschitz"]["value"] for one in found])
    mass = np.array([one["gap_mass"]["value"] for one in found])
    error = np.array([one["gap_mass"]["standard_error"] for one in found])
    bound = np.array([one["gap_mass.bound"]["value"] for one in found])
    line = np.geomspace(steep.min() / 1.2, steep.max() * 1.2, 60)
    curves = [
        Curve(name="2 Phi(D / 2L) - 1, equal halves", x=line, y=np.array([equal_gap_mass(1.5, one) for one in line])),
        Curve(name="bound at the measured shares", x=steep, y=bound, joined=False, marks=True),
        Curve(name="measured", x=steep, y=mass, error=error, joined=False, marks=True),
    ]
    axes = Axes(
        x_title="L: the generator's steepest place", y_title="Share of samples in the gap", log_x=True, log_y=True
    )
    write_svg("first_principles", "gap", chart(curves, (6, 0, 390, 230), axes=axes), (400, 230))
    for row in zip(steep, mass, error, bound, strict=True):
        said("gap: L {:.3g}, mass {:.4f} ± {:.4f}, bound {:.4f}".format(*row))
    below = int((mass < bound - 2 * error).sum())
    said("gap: moments below the bound by more than two errors:", below, "of", len(mass))


def figure_game(folder: Path) -> None:
    """Three sheets of a run, one above the other."""
    run = folder / "game"
    train(
        Train(
            model="gan/wgan_gp", data="mixtures:ring8_wide", out=run, kimg=800.0, threads=1, quiet=True, estimate=False,
            set=("batch_size=128", "average_decay=0.98", "measure_kimg=-1", "sample_kimg=80"),
        )
    )  # fmt: skip
    sheets = [path for _, path in RunFolder(run).sheets()]
    chosen = [sheets[index] for index in (1, len(sheets) // 3, len(sheets) - 1)]
    pictures = [Image.open(path).convert("RGB") for path in chosen]
    whole = Image.new("RGB", (pictures[0].width, sum(one.height for one in pictures)), "white")
    for index, one in enumerate(pictures):
        whole.paste(one, (0, index * one.height))
    reduced = whole.resize((whole.width * 2 // 3, whole.height * 2 // 3), Image.Resampling.LANCZOS)
    reduced.quantize(160, dither=Image.Dither.NONE).save(HERE / "first_principles_game.png", optimize=True)
    said("game:", [path.stem for path in chosen])


def table_minute(folder: Path) -> None:
    """Eight modes in less than a minute of one core."""
    for name, kimg in KIMG.items():
        run, started = folder / name.replace("/", "-"), time.process_time()
        train(
            Train(
                model=name, data="mixtures:ring8_wide", out=run, kimg=kimg, threads=1, quiet=True, estimate=False,
                set=("batch_size=128", "average_decay=0.98", "measure_kimg=400", "measure_n=2000", "sample_kimg=10000"),
            )
        )  # fmt: skip
        values = {one["metric"]: one["value"] for one in RunFolder(run).lines("measures.jsonl")[-1]["results"]}
        said(
            f"minute: {name}: {time.process_time() - started:.0f} s, {values['modes']:.0f} modes, "
            f"{100 * values['modes.high_quality']:.0f} % within 3 sigma, JS {values['js']:.2f}"
        )


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], help="figures to make; all where left out")
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        parts = {
            "losses": figure_losses,
            "distances": figure_distances,
            "samples": figure_samples,
            "gap": lambda: figure_gap(folder),
            "game": lambda: figure_game(folder),
            "minute": lambda: table_minute(folder),
        }
        for name, make in parts.items():
            if not only or name in only:
                make()


if __name__ == "__main__":
    main()
