"""Makes the figures of docs/distributions.md that are about pictures, and prints the numbers that the page states.

python docs/figures/distribution_pictures.py [--runs FOLDER] [--only NAME ...]

    entropy     distributions_entropy.svg      bits of triangles under codes and a trained model, beside what they hold
    dimension   distributions_dimension.svg    how near decoders of 1 to 12 latents come to triangles, which have six
    factors     distributions_factors.svg      kinds of scene, of which one is left out and one is rare, by family
    leak        distributions_leak.svg         quarter turns of all that a discriminator sees, more and more often

Trains what is not in FOLDER yet; about 7 minutes of one processor core.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from figure_parts import make_parts, said, write_svg
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from ganvas.core.run_folder import RunFolder
from ganvas.core.seeds import stream, torch_seeded
from ganvas.core.shapes import Samples, Scalar
from ganvas.data.packing import prepare
from ganvas.data.scenes.factors import LANDSCAPES, TIMES
from ganvas.data.scenes.scenes import Scenes
from ganvas.losses.augmentation import NoAugmentation
from ganvas.losses.capabilities import Encodes, HasLatents
from ganvas.losses.game import Batch
from ganvas.metrics.polygons import in_grey, inversion
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.tasks.train import Train, train
from ganvas.train import augmented
from ganvas.train.trained import load

HERE = Path(__file__).parent
SIDE = 16
TRIANGLES, UNSEEN_TRIANGLES = f"triangles:8000,{SIDE}x{SIDE}", f"triangles:256,{SIDE}x{SIDE},seed=9"
CORNER_BITS = 6 * 24  # Of a triangle: six coordinates of 24 bits each.
LATENTS, SEARCHED, SEARCH_STEPS = (1, 2, 3, 4, 5, 6, 7, 8, 12), 64, 100
MISSING, RARE, RARE_SHARE = ("winter", "dusk"), ("meadow", "night"), 0.01
FAMILIES: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "gan/dcgan": (24.0, ("resolution=16", "features=16", "features_max=64")),
    "vae/vae": (24.0, ("resolution=16",)),
    "flow/glow": (12.0, ()),
    "autoregressive/pixelcnn": (9.0, ()),
    "diffusion/edm": (6.0, ()),
}
COUNTED = 500
TURNED = (0.0, 0.5, 0.8, 0.95, 1.0)
WIDTH, HEIGHT = 400.0, 230.0

Pixels = UInt8[np.ndarray, "n h w c"]
Marks = Int64[np.ndarray, " n"]


def main() -> None:
    make_parts(PARTS, __doc__)


def trained(
    runs: Path, name: str, model: str, data: str, kimg: float, changes: Sequence[str], held_out: str | None = None
) -> Path:
    """The run of a name, trained where it is not there yet; measured at its end where pictures are held out."""
    out = runs / name
    measure = f"measure_kimg={kimg if held_out else -1}"
    settings = (measure, "measure_n=256", "sample_kimg=100000", "health_kimg=-1", *changes)
    train(
        Train(model=model, data=data, held_out=held_out, out=out, preset="small", kimg=kimg, threads=1,
              device="cpu", estimate=False, quiet=True, set=settings)
    )  # fmt: skip
    return out


def entropy(runs: Path) -> None:
    """Bits per dimension of held-out triangles, beside the 144 bits that each is made of."""
    run = trained(runs, "triangles", "autoregressive/pixelcnn", TRIANGLES, 12.0, ("channels=1",), UNSEEN_TRIANGLES)
    found = {one["metric"]: one["value"] for one in RunFolder(run).lines("measures.jsonl")[-1]["results"]}
    bits = {name.rpartition(".")[2]: value for name, value in found.items() if name.startswith("bits_per_dimension")}
    names = {"gaussian": "Gaussian", "png": "PNG", "webp": "WebP", "histogram": "histogram",
             "bits_per_dimension": "PixelCNN"}  # fmt: skip
    values = [bits[name] for name in names] + [CORNER_BITS / SIDE**2]
    said("entropy:", ", ".join(f"{name} {value:.3f}" for name, value in zip([*names, "at most"], values, strict=True)))
    ticks = list(enumerate([*names.values(), "six numbers"]))
    axes = Axes(y_title="Bits per dimension of triangles", log_y=True, x_ticks=ticks, x_range=(-0.5, len(ticks) - 0.5))
    curve = Curve(x=np.arange(len(values)), y=np.array(values), joined=False, marks=True)
    write_svg(
        "distributions", "entropy", chart([curve], (6, 0, WIDTH - 10, HEIGHT - 40), axes=axes), (WIDTH, HEIGHT - 34)
    )


def dimension(runs: Path) -> None:
    """How near a decoder can be brought to triangles that it never saw, over how many latents it has."""
    real = torch.from_numpy(prepare(UNSEEN_TRIANGLES, quiet=True).read(np.arange(SEARCHED))).permute(0, 3, 1, 2)
    middle, errors = [], []
    for latents in LATENTS:
        # At the preset's rate of 1e-3 a decoder of so few white pixels ends black, and stays so.
        changes = ("resolution=16", "channels=1", f"latent_size={latents}", "features_max=64", "lr=1e-4")
        run = load(trained(runs, f"latents-{latents}", "vae/autoencoder", TRIANGLES, 40.0, changes))
        found = nearest(run.require(Encodes), run.require(HasLatents), real)
        middle.append(float(found.mean()))
        errors.append(float(found.std() / len(found) ** 0.5))
        said(f"dimension: {latents} latents: {middle[-1]:.2f} ± {errors[-1]:.2f} white pixels, "
             f"{100 * (found <= 0.75).double().mean():.0f} % within 0.75")  # fmt: skip
    curve = Curve(x=LATENTS, y=middle, error=errors, marks=True)
    axes = Axes(x_title="Latents of the decoder", y_title="Distance to a held-out triangle (white pixels)", whole=True)
    write_svg(
        "distributions", "dimension", chart([curve], (6, 0, WIDTH - 10, HEIGHT - 20), axes=axes), (WIDTH, HEIGHT - 20)
    )


def nearest(encoder: Encodes, decoder: HasLatents, real: UInt8[Tensor, "n 1 h w"]) -> Float[Tensor, " n"]:
    """``min_z |x - G(z)|`` in white pixels, by descent from where the encoder puts each picture."""
    with torch.no_grad():
        code = encoder.encode(real.float() / 127.5 - 1)
    start = code if isinstance(code, Tensor) else code[0]

    def decode(z: Float[Tensor, "n z"]) -> Float[Tensor, "n h w"]:
        return (decoder.decode(z).mean(1) + 1) / 2

    return inversion(decode, in_grey(real), start[None].clone(), steps=SEARCH_STEPS, rate=0.02).double()


def factors(runs: Path) -> None:
    """The shares of twelve kinds of scene in what each family draws, trained without one kind and with few of one."""
    names = [(land, time) for land in LANDSCAPES for time in TIMES]
    kept = chosen_scenes(names)
    source = runs / "scenes.npy"
    runs.mkdir(parents=True, exist_ok=True)
    np.save(source, kept[0])
    wanted = np.bincount(kept[1], minlength=len(names)) / len(kept[1])
    see, confusion = classifier(*kinds_of(12_000, seed=5), classes=len(names))
    curves = [Curve(name="data", x=np.arange(len(names)), y=100 * wanted, marks=True, stroke_width=2)]
    for model, (kimg, changes) in FAMILIES.items():
        run = load(trained(runs, model.replace("/", "-"), model, str(source), kimg, changes))
        shares = corrected(np.bincount(see(run.sample(COUNTED, seed=1).bytes), minlength=len(names)), confusion)
        curves.append(Curve(name=model, x=np.arange(len(names)), y=100 * shares, joined=False, marks=True))
        usual = wanted > 2 * RARE_SHARE
        chi2 = COUNTED * float((((shares - wanted) ** 2)[usual] / wanted[usual]).sum())
        said(f"factors: {model}: {' '.join(MISSING)} {100 * shares[names.index(MISSING)]:.1f} % of 0, "
             f"{' '.join(RARE)} {100 * shares[names.index(RARE)]:.1f} % of {100 * wanted[names.index(RARE)]:.1f}, "
             f"chi2 of the {usual.sum()} others {chi2:.0f}")  # fmt: skip
    ticks = [(number, f"{land[:3]} {time}") for number, (land, time) in enumerate(names)]
    axes = Axes(y_title="Share of the pictures, %", x_ticks=ticks, size=6.0)
    write_svg(
        "distributions",
        "factors",
        chart(curves, (6, 0, 1.3 * WIDTH - 10, HEIGHT), axes=axes),
        (1.3 * WIDTH, HEIGHT + 6),
    )


def kinds_of(count: int, *, seed: int) -> tuple[Pixels, Marks]:
    """Scenes, and each one's place among the kinds."""
    scenes = Scenes(SIDE, SIDE, count=count, seed=seed)
    found = scenes.factors(np.arange(count))
    return scenes.pictures(0, count)[0], (len(TIMES) * found["landscape"] + found["time"]).astype(np.int64)


def chosen_scenes(names: Sequence[tuple[str, str]]) -> tuple[Pixels, Marks]:
    """8,000 scenes or so, none of the kind that is missing, a hundredth of the kind that is rare."""
    pictures, marks = kinds_of(9000, seed=0)
    others = ~np.isin(marks, [names.index(MISSING), names.index(RARE)])
    few = np.flatnonzero(marks == names.index(RARE))[: round(RARE_SHARE * others.sum())]
    places = np.sort(np.concatenate([np.flatnonzero(others), few]))
    return pictures[places], marks[places]


def classifier(
    pictures: Pixels, marks: Marks, *, classes: int, passes: int = 8
) -> tuple[Callable[[Pixels], Marks], Float[np.ndarray, "seen true"]]:
    """A small network that sees the class, and how often it sees which, of pictures that it did not learn."""
    with torch_seeded(0):
        network = nn.Sequential(
            nn.Conv2d(3, 24, 3, 2, 1), nn.ReLU(), nn.Conv2d(24, 48, 3, 2, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(48 * (SIDE // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, classes),
        )  # fmt: skip
    x, y = scaled(pictures), torch.from_numpy(marks)
    learnt = len(x) * 3 // 4
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for turn in range(passes):
        for places in torch.randperm(learnt, generator=stream(0, "classifier", turn)).split(100):
            optimizer.zero_grad()
            F.cross_entropy(network(x[places]), y[places]).backward()
            optimizer.step()

    def see(shown: Pixels) -> Marks:
        with torch.no_grad():
            return network(scaled(shown)).argmax(1).numpy()

    seen, true = see(pictures[learnt:]), marks[learnt:]
    counts = np.zeros((classes, classes))
    np.add.at(counts, (seen, true), 1)
    said(f"a classifier of {classes} kinds: {100 * (seen == true).mean():.1f} % right")
    return see, counts / counts.sum(0).clip(1)


def scaled(pictures: Pixels) -> Float[Tensor, "n c h w"]:
    """Colours from -1 to 1, channels first."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def corrected(counts: Marks, confusion: Float[np.ndarray, "seen true"]) -> Float[np.ndarray, " true"]:
    """The shares that a classifier with such a confusion sees as these counts."""
    shares = np.linalg.lstsq(confusion, counts / counts.sum(), rcond=1e-2)[0].clip(0)  # Some kinds may go unseen.
    return shares / shares.sum()


class QuarterTurns(NoAugmentation):
    """With probability p a picture is turned by 0, 90, 180 or 270 degrees, all alike."""

    def __init__(self, p: float) -> None:
        self.p = p

    def __call__(self, images: Samples, batch: Batch) -> Samples:
        """Every picture turned by its own number of quarters."""
        coins = torch.cat([torch.stack([batch.rand(), batch.rand()]) for _ in range(-(-len(images) // batch.size))], 1)
        turns = torch.where(coins[0] < self.p, (4 * coins[1]).floor(), 0.0)[: len(images)]
        return sum(
            (torch.where(turns.view(-1, 1, 1, 1) == k, images.rot90(k, (2, 3)), 0.0) for k in range(4)),
            torch.zeros_like(images),
        )

    def numbers(self) -> Mapping[str, Scalar]:
        """None."""
        return {}


def leak(runs: Path) -> None:
    """How many pictures of a generator stand upright, when its discriminator sees turned ones with probability p."""
    pictures = Scenes(SIDE, SIDE, count=3000, seed=5).pictures(0, 3000)[0]
    turned = np.concatenate([np.rot90(pictures, k, (1, 2)) for k in range(4)])
    order = torch.randperm(len(turned), generator=stream(0, "order")).numpy()
    see, confusion = classifier(turned[order], np.repeat(np.arange(4), len(pictures))[order], classes=4)
    kimg, changes = FAMILIES["gan/dcgan"]
    upright = []
    for p in TURNED:
        with mock.patch.object(augmented, "augmentation_of", lambda plan, p=p: QuarterTurns(p)):
            run = trained(runs, f"turned-{p:g}", "gan/dcgan", f"scenes:8000,{SIDE}x{SIDE}", kimg, changes)
        shares = corrected(np.bincount(see(load(run).sample(COUNTED, seed=1).bytes), minlength=4), confusion)
        upright.append(100 * shares[0])
        said(f"leak: p {p:g}: {upright[-1]:.0f} % upright; the smallest eigenvalue is {1 - p:.2f}")
    curves = [
        Curve(name="100: the data", x=[0, 1], y=[100, 100]),
        Curve(name="25: nothing is known of what is up", x=[0, 1], y=[25, 25]),
        Curve(name="drawn", x=TURNED, y=upright, marks=True),
    ]
    axes = Axes(x_title="p: share of pictures that are turned at random", y_title="Upright pictures, %",
                y_range=(0, 105))  # fmt: skip
    write_svg("distributions", "leak", chart(curves, (6, 0, WIDTH - 10, HEIGHT - 20), axes=axes), (WIDTH, HEIGHT - 20))


PARTS: dict[str, Callable[[Path], None]] = {
    "entropy": entropy,
    "dimension": dimension,
    "factors": factors,
    "leak": leak,
}

if __name__ == "__main__":
    main()
