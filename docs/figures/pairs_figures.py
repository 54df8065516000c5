"""Makes segmentation_scenes.png and pix2pix_emoji.png: what models that learnt from pairs make of others.

python docs/figures/pairs_figures.py --runs FOLDER [segmentation] [emoji]

The runs of segmentation are those that ``benchmarks/gates/gate_segmentation.py --keep FOLDER`` leaves; that of emoji is
trained into the folder unless it is there: sketches of emoji (high contrast) become flat coloured ones, read from
``$GANVAS_TEST_DATA/fluent-emoji-pairs-96.tar.xz``. About five minutes of one processor core.
"""

import argparse
import io
import os
import tarfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.seeds import torch_seeded
from ganvas.data.scenes.scenes import MASK_NAMES, Scenes
from ganvas.losses.capabilities import Segments, Translates
from ganvas.metrics.maths.pairs.colour_table import ColourClasses
from ganvas.report.pictures.class_colours import coloured
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

HERE = Path(__file__).parent
SHOWN, SCALE, GAP, CAPTION = 8, 2, 4, 170
KEPT_BACK, SIDE = 16, 64  # Every so many-th emoji is not trained on; its side in pixels.


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, required=True, help="where runs are kept")
    arguments.add_argument("figures", nargs="*", default=list(FIGURES))
    given = arguments.parse_args()
    for figure in given.figures:
        FIGURES[figure](given.runs)


@torch.no_grad()
def segmentation(runs: Path) -> None:
    """Scenes that were not trained on, their classes, and those that are named."""
    images, masks, _ = Scenes(64, 64, count=400, seed=9).pictures(0, 400)
    chosen = np.arange(SHOWN) * 7
    rows = [("scene", images[chosen]), ("classes", coloured(masks[chosen].astype(np.int64)))]
    table = ColourClasses(3, len(MASK_NAMES))
    known, truth, _ = Scenes(64, 64, count=2000, seed=1).pictures(0, 2000)
    table.add(torch.from_numpy(known).permute(0, 3, 1, 2), torch.from_numpy(truth).long())
    given = torch.from_numpy(images[chosen]).permute(0, 3, 1, 2)
    rows.append(("colour table", coloured(table.named(given).numpy())))
    for name, caption in (("fcn8", "scores 8 apart"), ("fcn2", "and 4 and 2 apart"), ("unet", "U-Net")):
        named = load(runs / name).require(Segments).segment(to_float(given)).argmax(1)
        rows.append((caption, coloured(named.numpy())))
    sheet(HERE / "segmentation_scenes.png", rows)


def emoji(runs: Path) -> None:
    """Emoji that were not trained on, as sketches and in colour, and what is made of the sketches."""
    folder = runs / "emoji"
    if not (folder / "kept").exists():
        extract(folder)
    train_on_emoji(folder, runs / "emoji-run")
    names = sorted(path.name for path in (folder / "kept" / "sketch").iterdir())[2 : 2 + SHOWN * 3 : 3]
    sketch, colour = (
        np.stack([np.asarray(Image.open(folder / "kept" / kind / name).convert("RGB")) for name in names])
        for kind in ("sketch", "colour")
    )
    trained = load(runs / "emoji-run")
    given = to_float(torch.from_numpy(sketch).permute(0, 3, 1, 2))[:, : trained.model.config.picture.channels]
    with torch.no_grad(), torch_seeded(0):
        made = to_bytes(trained.require(Translates).translate(given, "to-target")).permute(0, 2, 3, 1).numpy()
    sheet(HERE / "pix2pix_emoji.png", [("sketch", sketch), ("made", made), ("true", colour)])


def train_on_emoji(folder: Path, run: Path) -> None:
    """A small pix2pix of sketches and colours; one that is there already is left as it is."""
    train(
        Train(
            model="translate/pix2pix",
            data=str(folder / "trained" / "sketch"),
            target=str(folder / "trained" / "colour"),
            held_out=str(folder / "kept" / "sketch"),
            held_out_target=str(folder / "kept" / "colour"),
            out=run,
            preset="small",
            kimg=12,
            set=("halvings=6", "measure_n=90"),
            threads=1,
            device="cpu",
            estimate=False,
        )
    )


def extract(folder: Path, *, size: int = SIDE) -> None:
    """Pairs of files, some of them kept back, on white and at one size."""
    data = Path(os.environ["GANVAS_TEST_DATA"]) / "fluent-emoji-pairs-96.tar.xz"
    with tarfile.open(data) as archive:
        members = sorted((m for m in archive.getmembers() if m.name.endswith(".png")), key=lambda m: m.name)
        places = {name: k for k, name in enumerate(sorted({Path(m.name).name for m in members}))}
        for member in members:
            path = Path(member.name)
            side = "kept" if places[path.name] % KEPT_BACK == 0 else "trained"
            file = archive.extractfile(member)
            assert file is not None
            image = Image.open(io.BytesIO(file.read())).convert("RGBA")
            ground = Image.new("RGBA", image.size, "white")
            ground.alpha_composite(image)
            target = folder / side / ("colour" if "colour" in path.parent.name else "sketch")
            target.mkdir(parents=True, exist_ok=True)
            ground.convert("RGB").resize((size, size), Image.Resampling.LANCZOS).save(target / path.name)


def sheet(path: Path, rows: list[tuple[str, np.ndarray]]) -> None:
    """Rows of pictures (n, h, w, 3) with a caption before each."""
    side = rows[0][1].shape[1] * SCALE
    width = CAPTION + len(rows[0][1]) * (side + GAP)
    image = Image.new("RGB", (width, len(rows) * (side + GAP)), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(18)
    for row, (caption, pictures) in enumerate(rows):
        top = row * (side + GAP)
        draw.text((4, top + side // 2 - 10), caption, fill="black", font=font)
        for column, picture in enumerate(pictures):
            enlarged = Image.fromarray(picture).resize((side, side), Image.Resampling.NEAREST)
            image.paste(enlarged, (CAPTION + column * (side + GAP), top))
    image.save(path, optimize=True)


FIGURES = {"segmentation": segmentation, "emoji": emoji}

if __name__ == "__main__":
    main()
