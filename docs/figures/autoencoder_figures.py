"""Makes autoencoder_bottlenecks.png and autoencoder_samples.png: what bottlenecks lose, and what two families draw.

python docs/figures/autoencoder_figures.py [--runs FOLDER]

Trains on 4,000 scenes of 16x16 pixels where FOLDER holds no runs yet: autoencoders with bottlenecks of 2, 8, 32 and 128
numbers, a VAE and a VAE-GAN, about two minutes of one processor core. Prints the errors of the pictures that are shown.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.shapes import Bytes, Images
from ganvas.data.packing import prepare
from ganvas.losses.capabilities import Encodes, HasLatents
from ganvas.report.pictures.grid import grid
from ganvas.tasks.train import Train, train
from ganvas.train.trained import Trained, load

HERE = Path(__file__).parent
DATA, HELD_OUT = "scenes:4000,16x16", "scenes:1000,16x16,seed=9"
NARROW = ("resolution=16", "features=8", "features_max=64", "batch_size=32", "measure_kimg=-1", "sample_kimg=1000")
BOTTLENECKS = (2, 8, 32, 128)
GAME = ("discriminator_features=16", "gamma=0.001", "lr=0.0005")  # Of the VAE-GAN.
KIMG = 40.0
COLUMNS, SCALE = 12, 4


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where the runs are kept; removed where left out")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        runs = arguments.parse_args().runs or Path(temporary)
        bottlenecks(runs)
        samples(runs)


def bottlenecks(runs: Path) -> None:
    """A row of scenes that were not trained on, then a row of their reconstructions for every bottleneck."""
    real = held_out()
    rows = [to_bytes(real[:COLUMNS])]
    for size in BOTTLENECKS:
        model = trained(runs / f"autoencoder{size}", "autoencoder", f"latent_size={size}")
        rows.append(to_bytes(reconstructed(model, real[:COLUMNS])))
        say(f"bottleneck {size}", reconstructed(model, real), real)
    sheet(rows, "autoencoder_bottlenecks.png")


def samples(runs: Path) -> None:
    """Scenes, their reconstructions by a VAE and a VAE-GAN of equal width, and a row that each draws."""
    real = held_out()
    rows = [to_bytes(real[:COLUMNS])]
    for name, settings in (("vae", ()), ("vae_gan", GAME)):
        model = trained(runs / name, name, "latent_size=32", *settings)
        rows += [to_bytes(reconstructed(model, real[:COLUMNS])), torch.cat(list(model.sample_bytes(COLUMNS, seed=0)))]
        say(name, reconstructed(model, real), real)
    sheet(rows, "autoencoder_samples.png")


def trained(run: Path, name: str, *settings: str) -> Trained:
    """The run in the folder, trained where it is not there yet."""
    if not (run / "run.json").exists():
        changes = (*NARROW, *settings)
        train(Train(model=f"vae/{name}", data=DATA, out=run, kimg=KIMG, set=changes, threads=1, device="cpu"))
    return load(run)


@torch.no_grad()
def reconstructed(trained: Trained, images: Images) -> Images:
    """Pictures through the bottleneck and back."""
    model = trained.require(Encodes)
    found = model.encode(images)
    return trained.require(HasLatents).decode(found[0] if isinstance(found, tuple) else found)


def held_out() -> Images:
    """Scenes that nothing was trained on, in [-1, 1]."""
    packed = prepare(HELD_OUT, quiet=True)
    return to_float(torch.from_numpy(packed.read(np.arange(len(packed)))).permute(0, 3, 1, 2).contiguous())


def say(name: str, found: Images, real: Images) -> None:
    sys.stdout.write(f"{name}: mean squared error {float((found - real).square().mean()):.4f}\n")


def sheet(rows: list[Bytes], name: str) -> None:
    pictures = torch.cat(rows).permute(0, 2, 3, 1).contiguous().numpy()
    grid(pictures, columns=COLUMNS, scale=SCALE, gap=2).save(HERE / name)


if __name__ == "__main__":
    main()
