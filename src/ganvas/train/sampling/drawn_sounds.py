"""Sounds that a trained model draws: a folder of wave files, one file of all, an array, or a sheet to look at."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int16
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file, atomic_folder
from ganvas.core.progress import progress
from ganvas.core.waves import to_waves
from ganvas.data.sound.riff import write_wav
from ganvas.report.pictures.grid import save_png
from ganvas.train.sheets.sound_sheets import joined, sound_sheet
from ganvas.train.trained import Trained

MOST_SHOWN = 256  # Sounds on a sheet, or in one file.


def write_sounds(
    trained: Trained, out: Path, *, n: int, seed: int, label: str | None, batch: int, as_files: bool
) -> None:
    """Draws ``n`` sounds and writes them in the form that the ending of ``out`` names.

    Args:
        trained: A model of sounds.
        out: A folder (no ending) or one ``.wav`` where they are written to be heard, else a ``.png`` or ``.npy``.
        n: How many.
        seed: Of the latents.
        label: Of a class, of a model with classes.
        batch: Sounds that are drawn at once.
        as_files: Whether they are to be heard.

    Raises:
        UserError: the ending names no form, or a sheet or a single file would hold too many.
    """
    ending = out.suffix.lower()
    if ending not in (("", ".wav") if as_files else (".png", ".npy")):
        instead = "--to wav writes a folder, or one .wav file" if as_files else "a sheet is a .png, an array a .npy"
        raise UserError(f"-o {out}: {instead}.")
    if ending in (".png", ".wav") and n > MOST_SHOWN:
        raise UserError(f"-n {n}: more than {MOST_SHOWN} sounds are written as a folder (--to wav), or as a .npy.")
    drawn = _drawn(trained, n, seed=seed, label=label, batch=batch)
    if ending == "":
        _write_each(drawn, out, trained.sound.rate)
    elif ending == ".wav":
        write_wav(out, joined(to_waves(drawn), trained.sound), trained.sound.rate)
    elif ending == ".png":
        save_png(sound_sheet(to_waves(drawn), trained.sound), out)
    else:
        with atomic_file(out) as partial, partial.open("wb") as file:
            np.save(file, drawn.numpy())


def _drawn(trained: Trained, n: int, *, seed: int, label: str | None, batch: int) -> Int16[Tensor, "n samples"]:
    found = []
    with torch.no_grad(), progress("Drawing", n, unit="sounds") as report:
        for part in trained.sample_sounds(n, seed=seed, label=label, batch=batch):
            found.append(part)
            report(sum(map(len, found)))
    return torch.cat(found)


def _write_each(drawn: Int16[Tensor, "n samples"], out: Path, rate: int) -> None:
    with atomic_folder(out) as partial:
        for number, wave in enumerate(to_waves(drawn).numpy()):
            write_wav(partial / f"{number:06d}.wav", wave, rate)
