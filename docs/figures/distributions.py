"""Makes the figures of docs/distributions.md that are about points, and prints the numbers that the page states.

python docs/figures/distributions.py [--runs FOLDER] [--only NAME ...]

    slopes       distributions_slopes.svg      how steep a map to two Gaussians must be, and how steep trained ones are
    filaments    distributions_filaments.png   five families on eight Gaussians: what lies between them
    modes        distributions_modes.png       five families on twenty-five narrow Gaussians
    tails        distributions_tails.svg       five families on a Pareto law
    hole         distributions_hole.png        five families on a circle: what lies inside
    support      distributions_support.svg     how many different things a copier of k scenes makes
    noise        distributions_noise.svg       what a model that mostly draws noise loses in likelihood

Trains what is not in FOLDER yet; about 7 minutes of one processor core.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from figure_parts import make_parts, said, write_svg
from jaxtyping import Float
from PIL import Image as Pixels

from ganvas.core.run_folder import RunFolder
from ganvas.core.seeds import stream
from ganvas.data.packing import prepare
from ganvas.data.points.mixtures import Gaussians, law_of
from ganvas.losses.capabilities import KnowsDensity
from ganvas.metrics.maths.neighbours.witness_complex import living_times
from ganvas.metrics.maths.support_size import support_size, support_size_error, twins
from ganvas.metrics.maths.tail_index import hill, hill_error
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.palette import BLUE, INK, RULE, SOFT
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.report.drawing.primitives import Image, Item, Paint, Rect, Text
from ganvas.report.pictures.scatter import REAL, equal_spans, painted_dots, span_of
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

HERE = Path(__file__).parent
KIMG = {  # Some twelve seconds of one core each.
    "gan/wgan_gp": 320.0,
    "flow/spline": 90.0,
    "autoregressive/made": 420.0,
    "diffusion/edm": 320.0,
    "diffusion/flow_matching": 320.0,
}
SIGMA, GRID, ALPHA, RADIUS, WIDTH_OF_CIRCLE = 0.1, "grid25", 2.0, 2.0, 0.1
APART = (2.0, 3.0, 4.0, 5.0)  # Of two Gaussians of deviation 1/2: 4, 6, 8 and 10 deviations.
DRAWN, MEASURED, TAIL_DRAWN, LARGEST = 4096, 2048, 50_000, 500
SIDE, GAP, TOP = 118.0, 6.0, 13.0  # Of a panel, between panels, and for its title, in points.
WIDTH, HEIGHT = 400.0, 230.0


def main() -> None:
    make_parts(PARTS, __doc__)


def trained(runs: Path, model: str, law: str, kimg: float, preset: str = "mixtures") -> Path:
    """The run of a model on a law, trained where it is not there yet, and measured at its end."""
    out = runs / f"{model.replace('/', '-')}-{law.replace(',', '-')}"
    settings = (f"measure_kimg={kimg}", f"measure_n={MEASURED}", "sample_kimg=100000", "health_kimg=-1")
    train(
        Train(model=model, data=f"mixtures:{law}", out=out, preset=preset, kimg=kimg, threads=1, device="cpu",
              estimate=False, quiet=True, set=settings)
    )  # fmt: skip
    return out


def last(run: Path) -> dict[str, float]:
    """What the last measurement of a run found, by name."""
    return {one["metric"]: one["value"] for one in RunFolder(run).lines("measures.jsonl")[-1]["results"]}


def slopes(runs: Path) -> None:
    """The steepest place of trained maps beside the slope of the best one in the middle: ``s exp(mu^2 / 2 s^2)``."""
    s = 0.5
    fine = np.linspace(3.0, 10.4, 60)
    curves = [Curve(name="s exp(mu^2 / 2 s^2): the exact map", x=fine, y=s * np.exp((fine / 2) ** 2 / 2))]
    for model, preset, kimg in (("flow/spline", "mixtures", 60.0), ("gan/wgan_gp", "gap", 160.0)):
        steep = []
        for apart in APART:
            found = last(trained(runs, model, f"pair,apart={apart:g}", kimg, preset))
            steep.append(found["gap_mass.lipschitz"])
            exact = s * math.exp((apart / 2 / s) ** 2 / 2)
            said(f"slopes: {model}, {apart / s:g} deviations apart: {steep[-1]:.3g} of {exact:.3g}, between the modes "
                 f"{found['gap_mass']:.4f}, at least {found['gap_mass.bound']:.4f}")  # fmt: skip
        curves.append(Curve(name=model, x=np.array(APART) / s, y=np.array(steep), marks=True, joined=False))
    axes = Axes(x_title="Distance of the two modes, in their deviations", y_title="Steepest place", log_y=True)
    write_svg("distributions", "slopes", chart(curves, (6, 0, WIDTH - 10, HEIGHT), axes=axes), (WIDTH, HEIGHT))


def filaments(runs: Path) -> None:
    """Eight Gaussians of a tenth: the share that lies at a mode, what lies far from all, and the divergence."""
    law = f"ring8,sigma={SIGMA:g}"
    words = clouds(runs, law, "filaments", about_modes(law))
    truth = law_of(law).points(np.arange(DRAWN), seed=9)[0]
    said(f"filaments: entropy {math.log(8) + math.log(2 * math.pi * math.e * SIGMA**2):.4f} nats; the law's own points:"
         f" {about_modes(law)(truth)}")  # fmt: skip
    for model, line in words.items():
        found = last(trained(runs, model, law, KIMG[model]))
        kind = " at most" if model.startswith("diffusion") else ""  # Of a bound of its density.
        exact = f", KL{kind} {found['kl']:.3f}" if "kl" in found else ""
        said(f"filaments: {model}: {line}, JS {found['js']:.3f} nats{exact}")


def modes(runs: Path) -> None:
    """Twenty-five narrow Gaussians: how many are reached."""
    for model, line in clouds(runs, GRID, "modes", about_modes(GRID)).items():
        found = last(trained(runs, model, GRID, KIMG[model]))
        said(f"modes: {model}: {found['modes']:.0f} modes, {line}, reverse KL {found['modes.reverse_kl']:.3f}")


def about_modes(name: str) -> Callable[[Float[np.ndarray, "n 2"]], str]:
    """What is said of points beside a law of Gaussians."""
    law = law_of(name)
    assert isinstance(law, Gaussians)

    def says(points: Float[np.ndarray, "n 2"]) -> str:
        away = np.sqrt(((points[:, None] - law.centres) ** 2).sum(2)).min(1) / law.sigma
        return f"{100 * (away <= 3).mean():.1f} % within 3 s, {100 * (away > 6).mean():.1f} % beyond 6"

    return says


def hole(runs: Path) -> None:
    """A circle: how much lies inside, five deviations from the line, and for how long the points have one hole."""
    inside = RADIUS - 5 * WIDTH_OF_CIRCLE

    def share(points: Float[np.ndarray, "n 2"]) -> str:
        return f"{100 * (np.sqrt((points**2).sum(1)) < inside).mean():.2f} % inside"

    clouds(runs, "circle", "hole", share)
    drawn = {model: load(trained(runs, model, "circle", KIMG[model])).sample_points(DRAWN, seed=1) for model in KIMG}
    drawn["the law"] = law_of("circle").points(np.arange(DRAWN), seed=9)[0]
    for model, points in drawn.items():
        times = living_times(torch.from_numpy(points), draws=50, landmarks=64, gamma=1 / 8, most=4, seed=0).mean(0)
        said(f"hole: {model}: {share(points)}; one hole at {100 * times[1]:.0f} % of scales, none at "
             f"{100 * times[0]:.0f} %")  # fmt: skip


def tails(runs: Path) -> None:
    """How often a distance is exceeded: a straight line for the law, and a cliff for what cannot reach that far."""
    law = f"pareto,alpha={ALPHA:g}"
    reach = np.geomspace(1, 300, 80)
    curves = [Curve(name=f"x^-{ALPHA:g}", x=reach, y=reach**-ALPHA)]
    for model, kimg in KIMG.items():
        points = load(trained(runs, model, law, kimg)).sample_points(TAIL_DRAWN, seed=1)
        far = np.abs(points[:, 0].astype(np.float64))
        index = hill(far, largest=LARGEST)
        error = hill_error(index, largest=LARGEST)
        said(f"tails: {model}: Hill {index:.2f} ± {error:.2f} (law: {1 / ALPHA:g}), largest {far.max():.4g}")
        share = np.array([(far > x).mean() for x in reach])
        curves.append(Curve(name=model, x=reach, y=np.where(share > 0, share, np.nan)))
    axes = Axes(x_title="x", y_title="P(X > x)", log_x=True, log_y=True, y_range=(1e-5, 1.3))
    write_svg("distributions", "tails", chart(curves, (6, 0, WIDTH - 10, HEIGHT + 20), axes=axes), (WIDTH, HEIGHT + 20))


def support(runs: Path) -> None:
    """A copier of k scenes draws one of them at random; from twins alone its k is found."""
    del runs
    scenes = prepare("scenes:10000,8x8", quiet=True).read(np.arange(10_000)).reshape(10_000, -1).astype(np.float64)
    sizes, found, errors = (30, 100, 300, 1000, 3000, 10_000), [], []
    for size in sizes:
        chosen = torch.randint(size, (2048,), generator=stream(0, "copier", size)).numpy()
        counts = twins(scenes[chosen], within=0.5)
        found.append(support_size(counts))
        errors.append(support_size_error(counts) or math.nan)
        said(f"support: {size} scenes: {found[-1]:.0f} ± {errors[-1]:.0f}")
    line = np.array([sizes[0], sizes[-1]])
    curves = [
        Curve(name="what it is", x=line, y=line),
        Curve(name="found from 2,048 draws", x=sizes, y=found, error=errors, joined=False, marks=True),
    ]
    axes = Axes(x_title="Scenes that are copied", y_title="Support that is found", log_x=True, log_y=True)
    write_svg("distributions", "support", chart(curves, (6, 0, WIDTH - 10, HEIGHT), axes=axes), (WIDTH, HEIGHT))


def noise(runs: Path) -> None:
    """``psi model + (1 - psi) noise``: what real points lose by it, beside the most that they can, ``-ln psi``."""
    law = f"ring8,sigma={SIGMA:g}"
    model = load(trained(runs, "flow/spline", law, KIMG["flow/spline"])).require(KnowsDensity)
    real = law_of(law).points(np.arange(DRAWN), seed=9)[0]
    with torch.no_grad():
        learnt = model.log_density(torch.from_numpy(real)).double().numpy()
    wide = -(real.astype(np.float64) ** 2).sum(1) / 2 / 10**2 - math.log(2 * math.pi * 10**2)
    kept = np.array([0.9, 0.5, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001])
    lost = [float((learnt - np.logaddexp(math.log(p) + learnt, math.log(1 - p) + wide)).mean()) for p in kept]
    fine = np.geomspace(1e-3, 1, 60)
    points = [
        Curve(name="-ln psi", x=fine, y=-np.log(fine)),
        Curve(name="flow/spline with noise", x=kept, y=np.array(lost), joined=False, marks=True),
    ]
    of_points = Axes(x_title="psi: share of samples that are no noise", y_title="Nats lost by a real point", log_x=True)
    sides = (8, 16, 32, 64, 128, 256)
    pictures = [Curve(name=f"{100 * (1 - p):g} % noise", x=sides, y=[-math.log2(p) / (3 * side**2) for side in sides],
                      marks=True) for p in (0.5, 0.9, 0.99)]  # fmt: skip
    of_pictures = Axes(x_title="Side of an RGB picture", y_title="Bits per dimension lost at most", log_x=True,
                       log_y=True, x_ticks=[(side, str(side)) for side in sides])  # fmt: skip
    half = (WIDTH * 1.3) / 2
    items = [*chart(points, (6, 0, half - 8, HEIGHT), axes=of_points),
             *chart(pictures, (half + 8, 0, half - 12, HEIGHT), axes=of_pictures)]  # fmt: skip
    write_svg("distributions", "noise", items, (WIDTH * 1.3, HEIGHT))
    said("noise: lost", ", ".join(f"{value:.2f} of {-math.log(p):.2f}" for p, value in zip(kept, lost, strict=True)))
    said(f"noise: 99 % at 32x32: {-math.log(0.01):.2f} nats, {-math.log2(0.01) / 3072:.4f} bits per dimension")


def clouds(runs: Path, law: str, name: str, says: Callable[[Float[np.ndarray, "n 2"]], str]) -> dict[str, str]:
    """A panel for the law and one for each model: drawn points over real ones, and what is said of them."""
    real = law_of(law).points(np.arange(DRAWN), seed=9)[0]
    spans = equal_spans([span_of(real[:, axis]) for axis in (0, 1)])
    panels, words = [("the law", real, says(real))], {}
    for model, kimg in KIMG.items():
        drawn = load(trained(runs, model, law, kimg)).sample_points(DRAWN, seed=1)
        words[model] = says(drawn)
        panels.append((model, drawn, words[model]))
    items: list[Item] = []
    for number, (title, points, line) in enumerate(panels):
        left, top = 4 + number % 3 * (SIDE + GAP), number // 3 * (SIDE + TOP + 14)
        dots = painted_dots([(real, REAL, 1.0), (points, BLUE, 0.6)] if number else [(real, INK, 0.5)], spans)
        items += [
            Text(x=left, y=top + 9, text=title, size=7.5, fill=INK),
            Image(x=left, y=top + TOP, width=SIDE, height=SIDE, pixels=dots, smooth=True),
            Rect(x=left, y=top + TOP, width=SIDE, height=SIDE, paint=Paint(stroke=RULE)),
            Text(x=left, y=top + TOP + SIDE + 8, text=line, size=6.5, fill=SOFT),
        ]
    size = (8 + 3 * SIDE + 2 * GAP, 2 * (SIDE + TOP + 14))
    drawing = Drawing(width=size[0], height=size[1], items=tuple(items), title=f"{name}: five families on {law}")
    path = write(drawing, HERE / f"distributions_{name}.png", dpi=200.0)
    with Pixels.open(path) as whole:  # Dots of two colours: a third of the bytes.
        few = whole.convert("RGB").quantize(48, dither=Pixels.Dither.NONE)
    few.save(path, optimize=True)
    return words


PARTS: dict[str, Callable[[Path], None]] = {
    "slopes": slopes,
    "filaments": filaments,
    "modes": modes,
    "tails": tails,
    "hole": hole,
    "support": support,
    "noise": noise,
}

if __name__ == "__main__":
    main()
