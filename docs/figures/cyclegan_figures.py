"""Makes cyclegan_day_night.png and cyclegan_skin_tones.png: two translators trained without a single pair.

python docs/figures/cyclegan_figures.py [--runs FOLDER]

Trains what is not in FOLDER yet: day and night of ``scenes`` as ``benchmarks/gates/gate_cyclegan.py`` does, and light
and dark skin of emoji, whose file names carry the tone. Those are read from
``$GANVAS_TEST_DATA/noto-emoji-128.tar.xz``. About five minutes of one processor core.
"""

import argparse
import io
import os
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.shapes import Bytes
from ganvas.data.packing import prepare
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

HERE = Path(__file__).parent
TONES = {"light": "1f3fb", "dark": "1f3ff"}  # Code points of the lightest and the darkest skin (Unicode UTS 51).
COLUMNS, SCALE, GAP, CAPTION = 10, 2, 4, 150
KEPT_BACK = 8  # Every so many-th emoji of each tone is not trained on.


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where runs are kept; removed where left out")
    with tempfile.TemporaryDirectory() as temporary:
        runs = arguments.parse_args().runs or Path(temporary)
        day_night(runs / "day-night")
        skin_tones(runs)


def day_night(run: Path) -> None:
    """Held-out places by day and by night, each with its translation, the way back and the truth."""
    sources = [f"scenes:2000,32x32,time={time},seed={seed}" for time, seed in (("day", 1), ("night", 2))]
    trained_on(run, *sources, kimg=5.0)
    day, night = (first(f"scenes:500,32x32,time={time},seed=9") for time in ("day", "night"))
    words = ("day", "made night", "and back", "true night"), ("night", "made day", "and back", "true day")
    sheet(run, HERE / "cyclegan_day_night.png", (day, night), words, truths=(night, day))


def skin_tones(runs: Path) -> None:
    """Emoji that were not trained on, with light and with dark skin."""
    for tone, code in TONES.items():
        extract(code, runs / tone, runs / f"{tone} kept back")
    run = trained_on(runs / "skin-tones", str(runs / "light"), str(runs / "dark"), kimg=2.0)
    pictures = tuple(first(str(runs / f"{tone} kept back")) for tone in TONES)
    words = ("light", "made dark", "and back", "true dark"), ("dark", "made light", "and back", "true light")
    sheet(run, HERE / "cyclegan_skin_tones.png", pictures, words, truths=pictures[::-1])


def extract(code: str, into: Path, kept_back: Path) -> None:
    """The emoji of this tone alone; every KEPT_BACK-th is kept back, the same ones of both tones."""
    if into.exists():
        return
    others = [f"1f3f{letter}" for letter in "bcdef" if f"1f3f{letter}" != code]
    into.mkdir(parents=True)
    kept_back.mkdir()
    archive = Path(os.environ["GANVAS_TEST_DATA"]) / "noto-emoji-128.tar.xz"
    found: dict[str, bytes] = {}
    with tarfile.open(archive, "r|xz") as tar:  # As a stream: whoever seeks in it unpacks it again and again.
        for member in tar:
            if code in member.name and not any(other in member.name for other in others):
                file = tar.extractfile(member)
                assert file is not None
                found[Path(member.name).name.replace(code, "tone")] = file.read()
    for index, (name, content) in enumerate(sorted(found.items())):
        picture = Image.open(io.BytesIO(content)).convert("RGBA")
        on_white = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
        folder = into if index % KEPT_BACK else kept_back
        on_white.resize((32, 32), Image.Resampling.BOX).save(folder / name)


def trained_on(run: Path, data: str, other: str, *, kimg: float) -> Path:
    """The run in the folder, trained where it is not there yet."""
    if not (run / "run.json").exists():
        train(
            Train(
                model="translate/cyclegan",
                data=data,
                other=other,
                out=run,
                preset="small",
                kimg=kimg,
                set=("measure_kimg=-1",),
                threads=1,
                device="cpu",
                estimate=False,
            )
        )
    return run


def first(source: str) -> Bytes:
    """COLUMNS pictures (n, 3, 32, 32), evenly over the source."""
    packed = prepare(source, size=(32, 32), channels=3, quiet=True)
    chosen = np.linspace(0, len(packed) - 1, COLUMNS).astype(np.int64)
    return torch.from_numpy(packed.read(chosen)).permute(0, 3, 1, 2)


@torch.no_grad()
def sheet(
    run: Path, out: Path, sources: tuple[Bytes, ...], words: tuple[tuple[str, ...], ...], *, truths: tuple
) -> None:
    """For each direction four rows: the pictures, their translations, the way back, and the truth."""
    model = load(run).model
    rows = []
    for direction, back, pictures, truth in zip(model.directions, model.directions[::-1], sources, truths, strict=True):
        made = model.translate(to_float(pictures), direction)
        rows += [pictures, to_bytes(made), to_bytes(model.translate(made, back)), truth]
    side = 32 * SCALE + GAP
    image = Image.new("RGB", (CAPTION + COLUMNS * side, len(rows) * side + 3 * GAP), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(17)
    for index, (row, word) in enumerate(zip(rows, [word for four in words for word in four], strict=True)):
        y = index * side + (3 * GAP if index >= 4 else 0)
        draw.text((6, y + side // 2 - 12), word, "black", font)
        for column, picture in enumerate(row.permute(0, 2, 3, 1).numpy()):
            large = Image.fromarray(picture).resize((32 * SCALE, 32 * SCALE), Image.Resampling.NEAREST)
            image.paste(large, (CAPTION + column * side, y))
    image.save(out, optimize=True)


if __name__ == "__main__":
    main()
