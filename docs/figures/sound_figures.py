"""Draws the figures of docs/sound.md: notes, the traces of an untrained WaveGAN, and SpecGAN's two ways back to a wave.

What is to be heard of the first and the last is written as wave files.

python docs/figures/sound_figures.py
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.core.seeds import stream
from ganvas.core.waves import to_waves
from ganvas.data.sound.notes import Notes
from ganvas.data.sound.riff import write_wav
from ganvas.models.sound.wavegan import Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.sound.log_spectrogram import LogSpectrogram
from ganvas.report.pictures.grid import grid, save_png
from ganvas.report.pictures.sound_picture import wave_picture
from ganvas.train.sheets.sound_sheets import joined, sound_sheet

FOLDER = Path(__file__).parent
SIZE = SoundSize(rate=16000, length=16384)
CUT = slice(6000, 7536)  # Twelve hops.


def main() -> None:
    """Draws and writes all three, and two wave files."""
    samples, _ = Notes(rate=SIZE.rate, length=SIZE.length, seed=3).select(np.arange(8))
    notes = to_waves(torch.from_numpy(samples))
    ways = ways_back(notes[1:2])
    sheets = {
        "notes": sound_sheet(notes, SIZE),
        "lines": sound_sheet(untrained(4), SIZE),
        "inverse": beside_each_other(ways),
    }
    for name, sheet in sheets.items():  # Of few colours: less than half of the size.
        save_png(sheet.quantize(64, dither=Image.Dither.NONE), FOLDER / f"sound_{name}.png")
    for name, waves in {"notes": notes[:4], "inverse": ways}.items():
        write_wav(FOLDER / f"sound_{name}.wav", joined(waves, SIZE), SIZE.rate)


@torch.no_grad()
def untrained(count: int) -> torch.Tensor:
    """What a WaveGAN makes before its first step, loud enough to be seen."""
    model = Model(Config(width=8))
    initialise(model, stream(0, "weights"))
    waves = model.decode(model.latents(count, stream(1, "latents")))
    return 0.7 * waves / waves.abs().amax(1, keepdim=True)


@torch.no_grad()
def ways_back(note: torch.Tensor) -> torch.Tensor:
    """A note, and what comes of its spectrogram by the exact and by the released way."""
    rows = [note]
    for released in (False, True):
        transform = LogSpectrogram(128, iterations=60, released=released)
        logarithms = transform.logarithms(note)
        transform.mean.copy_(logarithms.mean((0, 1)))
        transform.deviation.copy_(logarithms.std((0, 1)) * 2)  # Of a set, whose notes differ more than moments of one.
        rows.append(transform.inverse(transform(note), length=SIZE.length))
    return torch.cat(rows)


def beside_each_other(waves: torch.Tensor) -> Image.Image:
    """Sounds whole, and below a tenth of a second of each."""
    above = sound_sheet(waves, SIZE, columns=3)
    cuts = [wave_picture(wave[CUT] / np.abs(wave[CUT]).max(), width=256) for wave in waves.numpy()]
    below = grid(np.stack(cuts), columns=3, gap=6)
    canvas = Image.new("RGB", (above.width, above.height + below.height + 6), "white")
    canvas.paste(above, (0, 0))
    canvas.paste(below, (0, above.height + 6))
    return canvas


if __name__ == "__main__":
    main()
