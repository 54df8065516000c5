"""Sheets of sounds while a model learns them: waves and spectrograms of fixed latents, and the same to hear."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image

from ganvas.core.files.atomic_files import atomic_file
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Labels, Waves
from ganvas.core.waves import to_samples, to_waves
from ganvas.data.sound.packed_sounds import PackedSounds
from ganvas.data.sound.riff import write_wav
from ganvas.nn.sound.spectrogram import frame_size, levels
from ganvas.report.pictures.grid import grid
from ganvas.report.pictures.sound_picture import WIDTH, sound_picture
from ganvas.train.sampling.drawn import averaged_players, drawn_samples
from ganvas.train.sheets.sample_grids import Sheets
from ganvas.train.state import State

SHOWN, COLUMNS, SHEET_GAP = 8, 4, 6
MOST_HEIGHT = 128  # Pixels of a spectrogram: neighbouring frequencies are averaged where there are more.
PAUSE_SECONDS = 0.15  # Between two sounds of one file.
MOST_HEARD = 250_000  # Samples of the file of a sheet, which the page of the run holds.
DRAW_BATCH = 64


class SoundSheets(Sheets):
    """Waves over spectrograms, and one wave file of as many of the sounds as a page can hold, one after the other."""

    def __init__(self, folder: Path, packed: PackedSounds, *, seed: int, classes: int = 0) -> None:
        super().__init__(folder)
        self.packed, self.seed = packed, seed
        self.labels = torch.arange(SHOWN) % classes if classes else None  # Every class in turn.

    def reals(self) -> None:
        """Real sounds chosen evenly over the data."""
        chosen = np.linspace(0, len(self.packed) - 1, min(SHOWN, len(self.packed))).astype(np.int64)
        self._write("reals", to_waves(torch.from_numpy(self.packed.read(chosen))))

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """What the averaged model makes of the fixed latents."""
        self._write(name, draw_sounds(state, stage, SHOWN, seed=self.seed, labels=self.labels))

    def _write(self, name: str, waves: Waves) -> None:
        with atomic_file(self.folder / f"{name}.png") as partial:
            sound_sheet(waves, self.packed.size).save(partial, format="PNG")
        heard = max(1, MOST_HEARD // round(waves.shape[1] + PAUSE_SECONDS * self.packed.size.rate))
        write_wav(self.folder / f"{name}.wav", joined(waves[:heard], self.packed.size), self.packed.size.rate)


def sound_sheet(waves: Waves, size: SoundSize, *, columns: int = COLUMNS) -> Image.Image:
    """Waves (n, samples) as one picture."""
    frames = frame_size(size.rate, waves.shape[1])
    found = levels(waves.float(), frames, max(1, min(frames // 2, waves.shape[1] // WIDTH)))
    found = found[:, : frames // 2]  # Without the Nyquist bin: an even number of rows.
    every = max(1, found.shape[1] // MOST_HEIGHT)
    found = found.unflatten(1, (-1, every)).mean(2)
    pictures = [sound_picture(wave, level) for wave, level in zip(waves.numpy(), found.numpy(), strict=True)]
    return grid(np.stack(pictures), columns=min(columns, len(pictures)), gap=SHEET_GAP)


def joined(waves: Waves, size: SoundSize) -> Float[np.ndarray, " together"]:
    """Sounds one after the other with a pause between them."""
    pause = round(PAUSE_SECONDS * size.rate)
    return np.pad(waves.numpy(), ((0, 0), (0, pause))).reshape(-1)[:-pause]


def draw_sounds(
    state: State, stage: Stage, n: int, *, seed: int, purpose: str = "sheet", labels: Labels | None = None
) -> Waves:
    """``n`` sounds of the model with its averaged players, as 16 bits hold them; training notices nothing."""
    with averaged_players(state) as model:
        drawn = [
            to_waves(to_samples(part.detach().cpu()))
            for part in drawn_samples(
                model, n, seed=seed, purpose=purpose, labels=labels, stage=stage, batch=DRAW_BATCH
            )
        ]
    return torch.cat(drawn)
