"""``ganvas invert``: the latents whose pictures are nearest to given ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from torch import Tensor

    from ganvas.dissect.latents.latent_generator import LatentGenerator


@dataclass(frozen=True, kw_only=True)
class Invert:
    """Find the latents of pictures: an encoder guesses, and an optimisation goes downhill from there.

    Examples:
      ganvas invert runs/demo scenes:16,32x32,seed=5 -o inverted
      ganvas invert runs/demo own -o inverted
    """

    run: Annotated[Path, tyro.conf.Positional]
    """Folder of a run whose model draws from latents."""
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SRC")]
    """Pictures: any source, or `own` for pictures of the model itself, whose latents are known."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the latents and the sheet."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 16
    """How many pictures."""
    start: Literal["encoder", "nearest", "random"] = "encoder"
    """Where the optimisation begins: at an encoder's guess, at the nearest of 2,048 pictures, or anywhere."""
    steps: int = 150
    """Of the optimisation; 0 leaves it out."""
    encoder_steps: int = 500
    """Of the encoder's training, for a model that has no encoder itself."""
    label: str | None = None
    """The class to draw, for a run with classes."""
    kimg: float | None = None
    """Which of the run's models; the newest when left out."""
    seed: int = 0
    """Of everything that is drawn."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class InvertResult:
    """How near the found pictures come."""

    model: str
    pictures: int
    start: str
    psnr: tuple[float, ...]  # In dB, of each picture.
    median: float
    share_above_30: float
    start_median: float
    file: Path
    sheet: Path


def invert(task: Invert) -> InvertResult:
    """Finds the latents and writes them, with a sheet of the pictures above what was found."""
    from ganvas.core.checks import at_least
    from ganvas.core.files.atomic_files import atomic_file, require_writable
    from ganvas.dissect.latents import latent_generator
    from ganvas.dissect.latents.inversion import inverted, summary

    at_least(task, 1, "n", "encoder_steps")
    at_least(task, 0, "steps")
    require_writable(task.out / "latents.npz")
    made = latent_generator.of_run(task.run, kimg=task.kimg, label=task.label)
    images = _images(task, made)
    start = _start(task, made, images)
    found = inverted(made.decode, images, start, prior=made.prior, steps=task.steps, quiet=task.quiet)
    import numpy as np

    file, sheet = task.out / "latents.npz", task.out / "inverted.png"
    with atomic_file(file) as partial, partial.open("wb") as opened:
        np.savez(opened, z=found.z.numpy(), psnr=found.psnr.numpy())
    _sheet(made, images, found.z, sheet)
    values = found.psnr.tolist()
    median, share = summary(values)
    return InvertResult(
        model=made.kept.name,
        pictures=len(values),
        start=task.start,
        psnr=tuple(values),
        median=median,
        share_above_30=share,
        start_median=float(found.start_psnr.median()),
        file=file,
        sheet=sheet,
    )


def _images(task: Invert, made: "LatentGenerator") -> "Tensor":
    """The pictures at the model's size, in [-1, 1]."""
    import torch

    from ganvas.core import pixels
    from ganvas.core.seeds import stream
    from ganvas.data.packing import prepare

    if task.source == "own":
        with torch.no_grad():
            return made.decode(made.latents(task.n, stream(task.seed, "invert", "own")))
    kept = made.kept
    packed = prepare(task.source, size=(kept.height, kept.width), channels=kept.channels, fit="crop", quiet=task.quiet)
    rows = range(min(task.n, len(packed)))
    return pixels.to_float(torch.from_numpy(packed.read(list(rows))).permute(0, 3, 1, 2))


def _start(task: Invert, made: "LatentGenerator", images: "Tensor") -> "Tensor":
    from ganvas.core.seeds import stream
    from ganvas.dissect.latents.inversion import GUESSES, encoder_of, nearest_start

    if task.start == "random":
        return made.latents(len(images), stream(task.seed, "invert", "random"))
    if task.start == "nearest":
        return nearest_start(made.decode, images, made.latents(GUESSES, stream(task.seed, "invert", "guesses")))
    return encoder_of(made, steps=task.encoder_steps, seed=task.seed, quiet=task.quiet)(images)


def _sheet(made: "LatentGenerator", images: "Tensor", z: "Tensor", path: Path) -> None:
    """Pairs, the given picture above the found one."""
    import torch

    from ganvas.core.pixels import to_bytes
    from ganvas.report.pictures.grid import grid, save_png

    with torch.no_grad():
        drawn = made.decode(z)
    columns = min(len(images), 8)
    rows = [row for start in range(0, len(images), columns) for row in _two_rows(images, drawn, start, columns)]
    pictures = to_bytes(torch.cat(rows)).permute(0, 2, 3, 1).numpy()
    save_png(grid(pictures, columns=columns, scale=max(1, 64 // pictures.shape[1])), path)


def _two_rows(images: "Tensor", drawn: "Tensor", start: int, columns: int) -> "list[Tensor]":
    """Of the given pictures and of the found ones; what lacks in the last rows is white."""
    import torch

    parts = [whole[start : start + columns] for whole in (images, drawn)]
    return [torch.cat([part, part.new_ones(columns - len(part), *part.shape[1:])]) for part in parts]
