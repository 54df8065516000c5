"""Makes fill_models.png, holes filled by each model, and fill_editing.png and fill_emoji.png, holes after drawings.

python docs/figures/fill_figures.py [--runs FOLDER] [--minutes M] [models] [editing] [emoji]

Trains what is not in FOLDER yet, the small preset of each model about M minutes of one processor core: from 5,000
scenes as in ``benchmarks/gates/gate_fill.py``, or from coloured emoji of 48 x 48 pixels, read from
``$GANVAS_TEST_DATA/fluent-emoji-pairs-96.tar.xz``.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from pairs_figures import extract
from PIL import Image, ImageDraw, ImageFont

from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.shapes import Images, Masks, OtherImages
from ganvas.data.holes.harmonic import harmonic_fill
from ganvas.data.packing import prepare
from ganvas.losses.capabilities import Fills
from ganvas.losses.filling import with_hole
from ganvas.nn.guides.canny import sketch
from ganvas.nn.guides.flat_colours import bilateral
from ganvas.tasks.train import Train, train
from ganvas.train.feeds.picture_feed import masks
from ganvas.train.trained import load

HERE = Path(__file__).parent
MODELS = ("fill/gated", "fill/partial", "fill/edges", "fill/sketch_colour")
COLUMNS, SCALE, GAP, CAPTION = 10, 2, 4, 190
SCENES = "scenes:5000,32x32,seed=1"
EMOJI = 48  # Side of an emoji, in pixels.


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where runs are kept; removed where left out")
    arguments.add_argument("--minutes", type=float, default=4.0)
    arguments.add_argument("figures", nargs="*", default=list(FIGURES))
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for figure in given.figures:
            FIGURES[figure](given.runs or Path(temporary), given.minutes)


def trained(run: Path, name: str, minutes: float, data: str, *changes: str) -> Fills:
    """The model of a run, which is trained where it is not there."""
    if not run.exists():
        train(
            Train(
                model=name,
                data=data,
                out=run,
                preset="small",
                minutes=minutes,
                set=("measure_kimg=-1", "health_kimg=-1", *changes),
                threads=1,
                device="cpu",
                estimate=False,
                quiet=True,
            )
        )
    return load(run).require(Fills)


@torch.no_grad()
def models_side_by_side(runs: Path, minutes: float) -> None:
    """Pictures with holes, what each model makes of them, the harmonic filling and the truth."""
    images = pictures(COLUMNS)
    mask = masks("free-form", torch.arange(COLUMNS), (32, 32), seed=99)
    rows = [("given", with_hole(images, mask)), ("harmonic filling", harmonic(images, mask))]
    for name in MODELS:
        model = trained(runs / name.replace("/", "-"), name, minutes, SCENES)
        rows.append((name, model.fill(images, mask)))
    sheet([*rows, ("truth", images)], HERE / "fill_models.png")


@torch.no_grad()
def scenes_after_drawings(runs: Path, minutes: float) -> None:
    """Scenes: the run is that of ``benchmarks/gates/gate_fill.py --keep FOLDER``, where it is there."""
    model = trained(runs / "edit", "fill/sketch_colour", minutes, SCENES)
    after_drawings(model, pictures(COLUMNS), HERE / "fill_editing.png")


@torch.no_grad()
def emoji_after_drawings(runs: Path, minutes: float) -> None:
    """Emoji."""
    folder = runs / "emoji-48"
    if not (folder / "kept").exists():
        extract(folder, size=EMOJI)
    data, sizes = str(folder / "trained" / "colour"), (f"height={EMOJI}", f"width={EMOJI}")
    model = trained(runs / "emoji-editing", "fill/sketch_colour", minutes, data, *sizes)
    after_drawings(model, emoji(folder / "kept" / "colour"), HERE / "fill_emoji.png")


def after_drawings(model: Fills, images: Images, path: Path) -> None:
    """One hole, filled without a drawing, after lines, after lines and colours, and after other colours."""
    count, _, height, width = images.shape
    mask = torch.ones(count, 1, height, width)
    mask[..., height // 6 : -(height // 6), width // 6 : -(width // 6)] = 0
    lines, own = torch.zeros(count, 5, height, width), torch.zeros(count, 5, height, width)
    lines[:, :1] = own[:, :1] = sketch(images)
    own[:, 1:4], own[:, 4:] = bilateral(images) * (1 - mask), 1 - mask
    other = own.clone()
    other[:, 1:4] = own[:, [2, 3, 1]]  # Red, green and blue change places.
    rows = [("given", with_hole(images, mask)), ("no drawing", model.fill(images, mask))]
    for said, drawn in (("lines", lines), ("lines and colours", own), ("other colours", other)):
        rows += [(said, shown(drawn, mask)), ("filled", model.fill(images, mask, guide=drawn))]
    sheet([*rows, ("truth", images)], path)


def emoji(folder: Path) -> Images:
    """Some that were not trained on."""
    paths = sorted(folder.iterdir())[2 : 2 + COLUMNS * 3 : 3]
    pixels = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
    return to_float(torch.from_numpy(pixels).permute(0, 3, 1, 2))


def shown(drawn: OtherImages, mask: Masks) -> Images:
    """A drawing as a person sees it: white paper, black lines, colours."""
    paper = torch.where(drawn[:, 4:] > 0, drawn[:, 1:4], 1.0)
    return torch.where((drawn[:, :1] > 0) & (mask == 0), -1.0, paper)


def harmonic(images: Images, mask: Masks) -> Images:
    """The soap film over each hole."""
    return torch.stack([harmonic_fill(image, hole[0] == 0) for image, hole in zip(images, mask, strict=True)])


def pictures(count: int) -> Images:
    """Scenes that no model was trained on."""
    packed = prepare("scenes:500,32x32,seed=9", quiet=True)
    return to_float(torch.from_numpy(packed.read(slice(0, count)).copy()).permute(0, 3, 1, 2))


def sheet(rows: list[tuple[str, Images]], path: Path) -> None:
    """Rows of pictures with their captions on the left."""
    side = rows[0][1].shape[3] * SCALE
    width = CAPTION + COLUMNS * (side + GAP)
    canvas = Image.new("RGB", (width, len(rows) * (side + GAP)), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=18)
    for index, (caption, images) in enumerate(rows):
        top = index * (side + GAP)
        draw.text((CAPTION - 10, top + side // 2), caption, fill="black", font=font, anchor="rm")
        for column, pixels in enumerate(to_bytes(images).permute(0, 2, 3, 1).numpy()):
            large = np.repeat(np.repeat(pixels, SCALE, 0), SCALE, 1)
            canvas.paste(Image.fromarray(large), (CAPTION + column * (side + GAP), top))
    canvas.save(path, format="PNG", optimize=True)


FIGURES = {"models": models_side_by_side, "editing": scenes_after_drawings, "emoji": emoji_after_drawings}

if __name__ == "__main__":
    main()
