"""The same latents drawn again and again while a model learns: one sheet of pictures per moment, and a film of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ganvas.core.atomic_files import atomic_file
from ganvas.core.pixels import to_bytes
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.data.packed import Packed
from ganvas.report.pictures.animation import write_animation
from ganvas.report.pictures.grid import grid
from ganvas.report.web.run_reader import sample_files
from ganvas.train.state import State, path_of

SHEET_WIDTH = 640  # Pixels, about; small pictures are enlarged so that they can be seen.
FILM_FRAMES_PER_SECOND = 6


class Sheets:
    """Draws sheets of one run into its ``samples/``."""

    def __init__(self, folder: Path, *, seed: int, packed: Packed, classes: int) -> None:
        self.folder, self.seed, self.classes = folder, seed, classes
        self.height, self.width = packed.height, packed.width
        self.columns = 8 if max(self.height, self.width) <= 128 else 4
        self.count = self.columns * max(round(self.columns * 0.75), 1)

    def reals(self, packed: Packed) -> None:
        """A sheet of the real pictures, chosen evenly over the data, for comparison."""
        chosen = np.linspace(0, len(packed) - 1, min(self.count, len(packed))).astype(np.int64)
        self._write("reals", packed.read(chosen))

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """A sheet of what the averaged model makes of the fixed latents."""
        self._write(name, draw(state, stage, self.count, seed=self.seed, classes=self.classes))

    def film(self) -> None:
        """All sheets so far as growth.webp, at the size of the last."""
        sheets = [sheet for _, sheet in sample_files(self.folder.parent)]
        if len(sheets) > 1:
            write_animation(sheets, self.folder / "growth.webp", fps=FILM_FRAMES_PER_SECOND)

    def _write(self, name: str, pictures: NDArray[np.uint8]) -> None:
        enlarged = self.height // pictures.shape[1]  # Every sheet of a run has one size: the film needs no more.
        scale = max(SHEET_WIDTH // (self.columns * self.width), 1) * max(enlarged, 1)
        with atomic_file(self.folder / f"{name}.png") as partial:
            grid(pictures, columns=self.columns, scale=scale, gap=2).save(partial, format="PNG")


@torch.no_grad()
def draw(
    state: State, stage: Stage, n: int, *, seed: int, classes: int, batch: int = 64, purpose: str = "sheet"
) -> NDArray[np.uint8]:
    """``n`` pictures (n, h, w, c) of the model with its averaged players, at the size of the stage.

    The players are exchanged for their averages while drawing and put back after; training notices nothing.
    """
    model, device = state.model, next(state.model.parameters()).device
    z: Tensor = model.latents(n, stream(seed, purpose))  # type: ignore[operator]
    labels = torch.arange(n) % classes if classes else None
    how = {} if stage.resolution == model.schedule().last else {"resolution": stage.resolution}  # type: ignore[operator]
    if stage.fading:
        how = {"resolution": stage.resolution, "fade": torch.tensor(stage.fade, device=device)}
    drawn = []
    with averaged_players(state) as averaged:
        for start in range(0, n, batch):
            chosen = {} if labels is None else {"labels": labels[start : start + batch].to(device)}
            drawn.append(to_bytes(averaged.decode(z[start : start + batch].to(device), **chosen, **how)).cpu())  # type: ignore[operator]
    return torch.cat(drawn).permute(0, 2, 3, 1).contiguous().numpy()


@contextmanager
def averaged_players(state: State) -> Iterator[nn.Module]:
    """The model with its averaged players in the place of the training ones, in evaluation mode, while inside."""
    own = {phase.name: phase.player for phase in state.phases if phase.name in state.averages}
    paths = {name: path_of(state.model, player) for name, player in own.items()}
    if "" in paths.values():  # The model is its own only player.
        yield next(state.averages[name] for name, path in paths.items() if not path).eval()
        return
    try:
        for name, path in paths.items():
            state.model.set_submodule(path, state.averages[name])
        yield state.model.eval()
    finally:
        for name, path in paths.items():
            state.model.set_submodule(path, own[name])
        state.model.train()
