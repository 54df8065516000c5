"""Makes fill_models.png and fill_editing.png: holes filled by each model, and one hole after several drawings.

python docs/figures/fill_figures.py [--runs FOLDER] [--minutes M]

Trains what is not in FOLDER yet, the small preset of each model on 5,000 scenes as ``benchmarks/gates/gate_fill.py``
does, about M minutes of one processor core each.
"""

import argparse
import colorsys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.shapes import Images, Masks, OtherImages
from ganvas.data.holes.harmonic import harmonic_fill
from ganvas.data.packing import prepare
from ganvas.losses.capabilities import Fills
from ganvas.losses.filling import with_hole
from ganvas.nn.guides.canny import sketch
from ganvas.tasks.train import Train, train
from ganvas.train.feeds.picture_feed import masks
from ganvas.train.trained import load

HERE = Path(__file__).parent
MODELS = ("fill/gated", "fill/partial", "fill/edges", "fill/sketch_colour")
COLUMNS, SCALE, GAP, CAPTION = 10, 2, 4, 190


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where runs are kept; removed where left out")
    arguments.add_argument("--minutes", type=float, default=4.0)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs = given.runs or Path(temporary)
        models = {name: trained(runs / name.replace("/", "-"), name, given.minutes) for name in MODELS}
        models_side_by_side(models)
        one_hole_after_drawings(models["fill/sketch_colour"])


def trained(run: Path, name: str, minutes: float) -> Fills:
    """The model of a run, which is trained where it is not there."""
    if not run.exists():
        train(
            Train(
                model=name,
                data="scenes:5000,32x32,seed=1",
                out=run,
                preset="small",
                minutes=minutes,
                set=("measure_kimg=-1", "health_kimg=-1"),
                threads=1,
                device="cpu",
                estimate=False,
                quiet=True,
            )
        )
    return load(run).require(Fills)


@torch.no_grad()
def models_side_by_side(models: dict[str, Fills]) -> None:
    """Pictures with holes, what each model makes of them, the harmonic filling and the truth."""
    images = pictures(COLUMNS)
    mask = masks("free-form", torch.arange(COLUMNS), (32, 32), seed=99)
    rows = [("given", with_hole(images, mask)), ("harmonic filling", harmonic(images, mask))]
    rows += [(name, model.fill(images, mask)) for name, model in models.items()]
    sheet([*rows, ("truth", images)], HERE / "fill_models.png")


@torch.no_grad()
def one_hole_after_drawings(model: Fills) -> None:
    """The same holes without a drawing, after lines, and after colours."""
    images = pictures(COLUMNS)
    mask = torch.ones(COLUMNS, 1, 32, 32)
    mask[..., 10:27, 8:25] = 0
    lines, colours = torch.zeros(COLUMNS, 5, 32, 32), torch.zeros(COLUMNS, 5, 32, 32)
    lines[:, :1] = sketch(images)
    for index, picture in enumerate(colours):
        asked = torch.tensor(colorsys.hsv_to_rgb(index / COLUMNS, 0.8, 0.8)) * 2 - 1
        picture[1:4, 14:22, 12:20], picture[4, 14:22, 12:20] = asked[:, None, None], 1
    rows = [
        ("given", with_hole(images, mask)),
        ("no drawing", model.fill(images, mask)),
        ("lines drawn", shown(lines, mask)),
        ("after the lines", model.fill(images, mask, guide=lines)),
        ("colours drawn", shown(colours, mask)),
        ("after the colours", model.fill(images, mask, guide=colours)),
        ("truth", images),
    ]
    sheet(rows, HERE / "fill_editing.png")


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
    side = 32 * SCALE
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


if __name__ == "__main__":
    main()
