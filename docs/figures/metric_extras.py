"""Figures of metrics whose blindness shows in a curve, or on pictures other than scenes: see metric_figures.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from metric_sheets import MARGIN, SIZE, WIDTH, Column, sheet
from spoilt_sets import Row, batches, blurred, grain, measured, pair, scenes
from torch import Tensor

from ganvas.core.results import Result
from ganvas.data.triangles import Triangles
from ganvas.features import vgg16
from ganvas.features.lpips_vgg16 import Lpips
from ganvas.features.weights import Weights
from ganvas.metrics import fid, fid_infinity, geometry_score, kid, prd
from ganvas.metrics.maths.neighbours import kmeans
from ganvas.report.drawing.drawing import Drawing, Item
from ganvas.report.drawing.panels import Axes, Curve, chart

HEIGHT = 190.0
MANY = 3000


def features(path: Path, pictures: np.ndarray) -> Tensor:
    """The classifier's."""
    return torch.cat([pair(path).extract(batch)["features"] for batch in batches(pictures)])


def fid_by_number(path: Path) -> Drawing:
    """FID over 1/n of another draw and of a darker set, and where fid_infinity sees the lines end."""
    reals, _ = scenes(0, MANY)
    fresh, _ = scenes(MANY, 2 * MANY)
    real = _filled(fid_infinity, features(path, reals))
    sets = {"another draw of the reals": fresh, "6 % darker": (fresh * 0.94).astype(np.uint8)}
    curves, counts = [], [100, 125, 160, 200, 300, 500, 1000, MANY]
    for (name, pictures), colour in zip(sets.items(), ("#5d6670", "#0072b2"), strict=True):
        rows = features(path, pictures)
        whole = fid_infinity.compare(real, _filled(fid_infinity, rows))[0]
        values = [fid.compare(real, _filled(fid_infinity, rows[:n]))[0] for n in counts]
        at = [1000 / n for n in counts]
        errors = [value.standard_error or 0.0 for value in values]
        curves.append(
            Curve(name=f"FID, {name}", x=at, y=[v.value for v in values], error=errors, marks=True, colour=colour)
        )
        end = Curve(
            x=[0.0], y=[whole.value], error=[whole.standard_error or 0.0], marks=True, joined=False, colour="#d55e00"
        )
        curves.append(end)
    named = Curve(**{**vars(curves[-1]), "name": f"fid_infinity of all {MANY}"})
    ticks = [(0.0, "no end"), (1.0, "1,000"), (2.0, "500"), (5.0, "200"), (10.0, "100")]
    axes = Axes(
        x_title="pictures generated (spaced by 1/n)",
        y_title="Fréchet distance",
        size=SIZE,
        x_range=(-0.4, 10.4),
        x_ticks=ticks,
    )
    items = chart([*curves[:-1], named], (MARGIN, 4, WIDTH - 2 * MARGIN, 230), axes=axes)
    return Drawing(width=WIDTH, height=238, items=tuple(items))


def kid_by_number(path: Path, top: float) -> Sequence[Item]:
    """FID and KID of disjoint small draws of the reals' kind, with error bars."""
    reals, _ = scenes(0, 800)
    rows = features(path, reals)
    more = features(path, scenes(MANY, 2 * MANY)[0])
    counts, width = [25, 50, 100, 200, 400, 800], (WIDTH - 2 * MARGIN) / 2 - 6
    ticks = [(float(n), str(n)) for n in counts]
    found: Mapping[str, list[list[Result]]] = {"FID": [], "KID": []}
    for repeat in range(3):
        parts = [more[repeat * 800 : repeat * 800 + n] for n in counts]
        found["FID"].append([fid.compare(_filled(fid, rows), _filled(fid, part))[0] for part in parts])
        found["KID"].append([kid.compare(_filled(kid, rows), _filled(kid, part))[0] for part in parts])
    items: list[Item] = []
    for place, (name, repeats) in enumerate(found.items()):
        curves = [
            Curve(
                x=np.array(counts) * 1.08 ** (number - 1),
                y=[one.value for one in results],
                error=[one.standard_error or 0.0 for one in results],
                joined=False,
                marks=True,
            )
            for number, results in enumerate(repeats)
        ]
        title = f"{name} of three other draws, by their number"
        axes = Axes(title=title, x_title="pictures", log_x=True, x_range=(20, 1000), x_ticks=ticks, size=SIZE)
        items += chart(curves, (MARGIN + place * (width + 12), top, width, HEIGHT - 8), axes=axes)
    return items


def prd_curves(path: Path, reals: np.ndarray, rows: Mapping[str, Row], top: float) -> Sequence[Item]:
    """The whole curves of some of the sets."""
    real, curves = _filled(prd, features(path, reals)), []
    for row in rows.values():
        fake = _filled(prd, features(path, row.pictures))
        labels = kmeans.cluster([real, fake], clusters=20, runs=5, seed=0)
        p, q = (
            torch.stack([torch.bincount(run, minlength=20) for run in part.T]).double() / len(part) for part in labels
        )
        precision, recall = prd.curve(p, q)
        curves.append(Curve(name=row.title.replace("\n", " "), x=recall.numpy(), y=precision.numpy()))
    axes = Axes(x_title="recall", y_title="precision", size=SIZE, x_range=(0, 1), y_range=(0, 1.02))
    return chart(curves, (MARGIN, top, WIDTH - 2 * MARGIN, HEIGHT), axes=axes)


def triangles() -> Drawing:
    """Triangles spoilt, with precision and recall that are exact."""
    n = 300
    every = Triangles(32, 32, count=4 * n, seed=0)
    reals, fresh, more = (every.pictures(n * part, n * (part + 1)) for part in range(3))
    wide = every.pictures(0, 4 * n)[n:]
    left = wide[np.argsort(wide.reshape(len(wide), 32, 32).astype(float)[:, :, :16].mean((1, 2)))[-n:]]
    rows = {
        "fresh": Row(title="another draw\nof triangles", pictures=fresh, spoilt=False),
        "copies": Row(title="the reals themselves,\nmemorised", pictures=reals),
        "often": Row(title="one in four is\nthe same triangle", pictures=_often(fresh)),
        "few": Row(title="10 triangles,\neach 30 times", pictures=fresh[:10].repeat(30, 0)[_order(n)]),
        "left": Row(title="triangles on the\nleft only", pictures=left),
        "grey": Row(title="grey veil of 12 levels", pictures=np.maximum(fresh, 12)),
        "two": Row(title="two triangles each", pictures=np.maximum(fresh, more)),
        "hole": Row(title="with a hole", pictures=_holed(fresh)),
    }
    found = measured(reals, rows, ["polygons"], {})
    columns = [
        Column(metric=f"polygons.{part}", title=part, reach=(0, 1.1), places=2) for part in ("precision", "recall")
    ]
    return sheet(rows, found, columns)


def pairs() -> Drawing:
    """Pictures against their own targets: what PSNR and SSIM say of errors that a person finds small or large."""
    reals, rows = _spoilt_pairs(400)
    found = measured(reals, rows, ["psnr", "ssim"], {})
    both = [
        Column(metric="psnr", title="PSNR, dB", places=1),
        Column(metric="ssim", title="SSIM", reach=(0, 1.1), places=2),
    ]
    return sheet(rows, found, both, floor="")


def pairs_by_lpips() -> Drawing:
    """The same pairs by LPIPS's formula, with random weights: the published ones are too large to come with Ganvas."""
    reals, rows = _spoilt_pairs(60)
    random = torch.Generator().manual_seed(0)
    trunk = {
        name: torch.randn(shape, generator=random) * (2 / torch.Size(shape[1:]).numel()) ** 0.5
        if len(shape) > 1
        else torch.zeros(shape)
        for name, shape in vgg16.convolution_shapes().items()
    }
    heads = {f"lin{k}.model.1.weight": torch.ones(1, stage[-1], 1, 1) for k, stage in enumerate(vgg16.CHANNELS)}
    network = Lpips(Weights(tensors=heads, sha256="equal---"), Weights(tensors=trunk, sha256="random--"))
    found = measured(reals, rows, ["lpips", "psnr"], {"lpips": network})
    both = [
        Column(metric="lpips", title="LPIPS, random", places=2),
        Column(metric="psnr", title="PSNR, dB", places=1),
    ]
    return sheet(rows, found, both, floor="")


def _spoilt_pairs(n: int) -> tuple[np.ndarray, dict[str, Row]]:
    reals, _ = scenes(0, n)
    moved = np.concatenate([reals[:, :, 1:], reals[:, :, -1:]], 2)
    stained = reals.copy()
    stained[:, 12:16, 12:16] = (255, 0, 255)
    rows = {
        "grain": Row(title="grain of 20 levels", pictures=grain(reals, 20)),
        "light": Row(title="lighter by 20 levels", pictures=np.minimum(reals.astype(int) + 20, 255).astype(np.uint8)),
        "blurred": Row(title="blurred over\n2 x 2 pixels", pictures=blurred(reals)),
        "moved": Row(title="moved by one pixel", pictures=moved),
        "stained": Row(title="a stain", pictures=stained),
        "mirrored": Row(title="mirrored", pictures=reals[:, :, ::-1].copy()),
        "others": Row(title="other pictures", pictures=np.roll(reals, 1, axis=0)),
    }
    return reals, rows


def _filled(module, rows: Tensor):
    side = module.Accumulator()
    side.update(rows)
    return side


def _often(pictures: np.ndarray) -> np.ndarray:
    some = pictures.copy()
    some[::4] = some[0]
    return some


def _holed(pictures: np.ndarray) -> np.ndarray:
    """A dark square of 4 pixels in the middle of what is white."""
    spoilt = pictures.copy()
    for picture in spoilt:
        y, x = (int(values.mean()) for values in np.nonzero(picture[..., 0] > 128))
        picture[max(y - 2, 0) : y + 2, max(x - 2, 0) : x + 2] = 0
    return spoilt


def _order(n: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(n)


def rings() -> Drawing:
    """A light that goes around: pictures on a closed curve, and on others with and without its hole."""
    n = 600
    random = np.random.default_rng(0)

    def lights(angles: np.ndarray, radius: np.ndarray | float = 9.0, *, lit: float = 255.0) -> np.ndarray:
        y, x = (16 + radius * wave(angles) for wave in (np.sin, np.cos))
        grid = np.arange(32)
        squared = (grid[None, :, None] - y[:, None, None]) ** 2 + (grid[None, None, :] - x[:, None, None]) ** 2
        return (lit * np.exp(-squared / 40)).round().astype(np.uint8)[..., None]

    around, again, disc = (random.uniform(0, 2 * np.pi, n) for _ in range(3))
    reals = lights(around)
    order = random.permutation(32)
    rows = {
        "fresh": Row(title="another draw", pictures=lights(again), spoilt=False),
        "copies": Row(title="the reals themselves,\nmemorised", pictures=reals),
        "negative": Row(title="their negatives", pictures=255 - lights(again)),
        "mixed": Row(title="rows of pixels in\nanother order", pictures=lights(again)[:, order]),
        "faint": Row(title="at a third of the light", pictures=lights(again, lit=85.0)),
        "part": Row(title="three quarters of\nthe way around", pictures=lights(again * 0.75)),
        "disc": Row(title="anywhere inside as well", pictures=lights(disc, 9 * random.uniform(0, 1, n) ** 0.5)),
        "one": Row(title="standing nearly still", pictures=lights(again * 0.05)),
    }
    metrics = {"geometry_score": geometry_score.Config(draws=100, gamma=0.02)}
    found = measured(reals, rows, metrics, {})
    return sheet(rows, found, [Column(metric="geometry_score", title="geometry score (lower is better)", places=4)])
