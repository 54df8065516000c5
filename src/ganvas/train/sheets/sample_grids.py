"""Sheets of samples while a model learns: the same latents or the same inputs again and again, and a film of them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.core.files.atomic_files import atomic_file
from ganvas.core.pixels import to_bytes
from ganvas.core.run_folder import RunFolder
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images, Labels
from ganvas.data.packed import Packed
from ganvas.losses.capabilities import Shows
from ganvas.losses.game import Batch
from ganvas.report.pictures.animation import write_animation
from ganvas.report.pictures.grid import grid
from ganvas.report.pictures.row_names import row_names_chunk
from ganvas.train.sampling.drawn import averaged_players, drawn_samples
from ganvas.train.state import State

SHEET_WIDTH = 640  # Pixels, about; small pictures are enlarged so that they can be seen.
FILM_FRAMES_PER_SECOND = 6


class Sheets(ABC):
    """Draws sheets of one run into its ``samples/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def reals(self) -> None:
        """A sheet of the real samples, for comparison."""

    @abstractmethod
    def sample(self, state: State, stage: Stage, name: str) -> None:
        """A sheet of what the averaged model makes now."""

    def film(self) -> None:
        """All sheets so far as growth.webp, at the size of the largest; one that is damaged is omitted."""
        run = RunFolder(self.folder.parent)
        sheets = [sheet for _, sheet in run.sheets()]
        if len(sheets) > 1:
            write_animation(sheets, run.film, fps=FILM_FRAMES_PER_SECOND)


class NoSheets(Sheets):
    """Of a model that has nothing to look at."""

    def reals(self) -> None:
        """Draws nothing."""

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """Draws nothing."""


class DrawnSheets(Sheets):
    """Pictures of fixed latents, or of fixed streams."""

    def __init__(self, folder: Path, *, seed: int, packed: Packed, classes: int) -> None:
        super().__init__(folder)
        self.seed, self.packed = seed, packed
        self.height, self.width = packed.height, packed.width
        self.columns = 8 if max(self.height, self.width) <= 128 else 4
        self.count = self.columns * max(round(self.columns * 0.75), 1)
        self.labels = torch.arange(self.count) % classes if classes else None  # Every class in turn.

    def reals(self) -> None:
        """Real pictures chosen evenly over the data."""
        chosen = np.linspace(0, len(self.packed) - 1, min(self.count, len(self.packed))).astype(np.int64)
        self._write("reals", self.packed.read(chosen))

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """What the averaged model makes of the fixed latents."""
        self._write(name, draw(state, stage, self.count, seed=self.seed, labels=self.labels))

    def _write(self, name: str, pictures: NDArray[np.uint8]) -> None:
        enlarged = self.height // pictures.shape[1]  # Every sheet of a run has one size: the film needs no more.
        scale = max(SHEET_WIDTH // (self.columns * self.width), 1) * max(enlarged, 1)
        write_sheet(self.folder / f"{name}.png", pictures, columns=self.columns, scale=scale)


class ShownSheets(Sheets):
    """Rows that the model itself shows of a fixed batch and a fixed stream: what went in beside what came out."""

    def __init__(self, folder: Path, batch: Batch) -> None:
        super().__init__(folder)
        self.batch = batch

    def reals(self) -> None:
        """Nothing: the inputs are a row of every sheet."""

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """What the averaged model shows of the fixed batch."""
        with averaged_players(state) as model, torch.no_grad():
            assert isinstance(model, Shows)
            rng = stream(0, "shown", device=self.batch.device)
            names, rows = zip(*model.show(self.batch.with_rng(rng)), strict=True)
        pictures = same_colours([to_bytes(images).cpu() for images in rows])
        columns = len(rows[0])
        scale = max(SHEET_WIDTH // (columns * pictures.shape[2]), 1)
        write_sheet(self.folder / f"{name}.png", pictures, columns=columns, scale=scale, rows=names)


class DrawnAndShownSheets(Sheets):
    """Drawn pictures of every moment, and of the newest alone what the model shows, as ``shown.png``."""

    def __init__(self, drawn: DrawnSheets, shown: ShownSheets) -> None:
        super().__init__(drawn.folder)
        self.drawn, self.shown = drawn, shown

    def reals(self) -> None:
        """Real pictures chosen evenly over the data."""
        self.drawn.reals()

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """Both sheets of the averaged model."""
        self.drawn.sample(state, stage, name)
        self.shown.sample(state, stage, "shown")


def same_colours(rows: Sequence[Tensor]) -> NDArray[np.uint8]:
    """Rows of pictures (n, c, h, w) as one array (n, h, w, c): grey ones become RGB beside coloured ones."""
    channels = max(row.shape[1] for row in rows)
    wide = [row.expand(-1, channels, -1, -1) if row.shape[1] == 1 else row for row in rows]
    return torch.cat([row[:, :channels] for row in wide]).permute(0, 2, 3, 1).contiguous().numpy()


def write_sheet(path: Path, pictures: NDArray[np.uint8], *, columns: int, scale: int, rows: Sequence[str] = ()) -> None:
    """Pictures (n, h, w, c) on one sheet, as a PNG file, with the names of its ``rows`` where they have some."""
    with atomic_file(path) as partial:
        sheet = grid(pictures, columns=columns, scale=scale, gap=2)
        sheet.save(partial, format="PNG", pnginfo=row_names_chunk(rows) if rows else None)


def draw(
    state: State,
    stage: Stage,
    n: int,
    *,
    seed: int,
    labels: Labels | None,
    batch: int = 64,
    purpose: str = "sheet",
) -> NDArray[np.uint8]:
    """``n`` pictures (n, h, w, c) of the model with its averaged players, at the size of the stage.

    The players are exchanged for their averages while drawing and put back after; training notices nothing.
    """
    with averaged_players(state) as model:
        drawn: list[Images] = []
        for part in drawn_samples(model, n, seed=seed, purpose=purpose, labels=labels, stage=stage, batch=batch):
            drawn.append(to_bytes(part).cpu())
    return torch.cat(drawn).permute(0, 2, 3, 1).contiguous().numpy()
