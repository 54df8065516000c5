"""Makes stylegan2_truncation.png, stylegan2_mixing.png and r3gan_scenes.png: what the two small presets draw of scenes.

python docs/figures/modern_gan_figures.py [--stylegan2 FOLDER] [--r3gan FOLDER]

Trains ``--preset small`` of each for 8 kimg on 2,000 scenes of 16x16 pixels where its FOLDER holds no run yet: less
than a minute of one processor core each. Prints how varied truncated pictures are.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas.core.pixels import to_bytes
from ganvas.models.gan.stylegan2 import Model
from ganvas.report.pictures.grid import grid
from ganvas.tasks.train import Train, train
from ganvas.train.trained import Trained, load

HERE = Path(__file__).parent
DATA = "scenes:2000,16x16"
KIMG = 8.0
PSIS = (1.0, 0.7, 0.4, 0.0)
COLUMNS, SCALE = 12, 4
COARSE = 3  # Layers of 4 x 4 and 8 x 8, whose styles the columns of the mixing sheet give.


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("stylegan2", "r3gan"):
        arguments.add_argument(f"--{name}", type=Path, help="where the run is kept; removed where left out")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        styled = trained("gan/stylegan2", given.stylegan2 or Path(temporary) / "stylegan2")
        truncation(styled)
        mixing(styled)
        modern = trained("gan/r3gan", given.r3gan or Path(temporary) / "r3gan")
        drawn = modern.sample(2 * COLUMNS, seed=0).bytes
        grid(drawn, columns=COLUMNS, scale=SCALE, gap=2).save(HERE / "r3gan_scenes.png")


def trained(model: str, run: Path) -> Trained:
    """The run in the folder, trained where it is not there yet."""
    if not (run / "run.json").exists():
        settings = (f"measure_kimg={KIMG}", f"sample_kimg={KIMG}", "measure_n=512")
        train(Train(model=model, data=DATA, out=run, preset="small", kimg=KIMG, set=settings, threads=1))
    return load(run)


def truncation(styled: Trained) -> None:
    """The same latents in every row, drawn towards the mean from top to bottom."""
    rows = [styled.sample(COLUMNS, seed=0, truncation=psi).bytes for psi in PSIS]
    grid(np.concatenate(rows), columns=COLUMNS, scale=SCALE, gap=2).save(HERE / "stylegan2_truncation.png")
    for psi in PSIS:
        pixels = styled.sample(256, seed=2, truncation=psi).bytes.astype(float)
        variety = float(np.sqrt(2 * pixels.var(axis=0).mean()))  # Of two pictures: twice the variance of one.
        sys.stdout.write(json.dumps({"psi": psi, "root_mean_square_difference_of_two": round(variety, 1)}) + "\n")


@torch.no_grad()
def mixing(styled: Trained) -> None:
    """Above, and on the left, pictures of their own; inside, the upper one's coarse styles with the left one's fine."""
    assert isinstance(styled.model, Model)
    generator = styled.model.generator
    z = styled.latents(COLUMNS + 4, seed=1)
    upper, left = z[: COLUMNS - 1], z[-4:]
    sheet = [np.full_like(pictures(generator(z[:1]))[0], 255), *pictures(generator(upper))]
    for one in left:
        fine = one.expand(len(upper), -1)
        styles = generator.mixed(upper, fine, torch.full((len(upper),), COARSE))[1]
        sheet += [*pictures(generator(one[None])), *pictures(generator.synthesis(styles))]
    grid(np.stack(sheet), columns=COLUMNS, scale=SCALE, gap=2).save(HERE / "stylegan2_mixing.png")


def pictures(images: torch.Tensor) -> NDArray[np.uint8]:
    """As bytes (n, h, w, c)."""
    return to_bytes(images).permute(0, 2, 3, 1).contiguous().numpy()


if __name__ == "__main__":
    main()
