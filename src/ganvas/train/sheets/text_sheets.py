"""Sheets of text while a model learns it: a file of lines for each moment, and one of real lines."""

from pathlib import Path

import numpy as np
import torch

from ganvas.core.files.atomic_files import write_text
from ganvas.core.schedule import Stage
from ganvas.data.text.alphabet import TokenRows
from ganvas.data.text.packed_text import PackedText
from ganvas.train.sampling.drawn import averaged_players, drawn_samples
from ganvas.train.sheets.sample_grids import Sheets
from ganvas.train.state import State

SHOWN = 32  # Lines of a sheet.
DRAW_BATCH = 256


class LineSheets(Sheets):
    """Lines of fixed latents or streams, ``samples/<kimg>.txt``, and some of the data, ``reals.txt``."""

    def __init__(self, folder: Path, packed: PackedText, *, seed: int) -> None:
        super().__init__(folder)
        self.packed, self.seed = packed, seed

    def reals(self) -> None:
        """Real lines, evenly over the data."""
        chosen = np.linspace(0, len(self.packed) - 1, min(SHOWN, len(self.packed))).astype(np.int64)
        self._write("reals", self.packed.read(chosen))

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """What the averaged model says."""
        self._write(name, draw_lines(state, stage, SHOWN, seed=self.seed))

    def _write(self, name: str, rows: TokenRows) -> None:
        lines = self.packed.alphabet.decode(rows)
        write_text(self.folder / f"{name}.txt", "".join(f"{line}\n" for line in lines))


def draw_lines(state: State, stage: Stage, n: int, *, seed: int, purpose: str = "sheet") -> TokenRows:
    """``n`` lines (n, l) of the model with its averaged players; training notices nothing."""
    with averaged_players(state) as model:
        drawn = list(drawn_samples(model, n, seed=seed, purpose=purpose, stage=stage, batch=DRAW_BATCH))
    return torch.cat(drawn).cpu().numpy()
