"""Sheets of points while a model learns them: clouds, and of games in a plane the critic and the map of latents too."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas.core.files.atomic_files import atomic_file
from ganvas.core.run_folder import RunFolder
from ganvas.core.schedule import Stage
from ganvas.data.points.packed_points import PackedPoints
from ganvas.report.drawing.drawing import write
from ganvas.report.pictures.critic_sheet import critic_sheet
from ganvas.report.pictures.point_moment import PointMoment
from ganvas.report.pictures.scatter import equal_spans, scatter, span_of
from ganvas.report.web.point_film import point_film
from ganvas.train.point_moments import point_moment
from ganvas.train.sampling.drawn import averaged_players, drawn_samples
from ganvas.train.sheets.sample_grids import Sheets
from ganvas.train.state import State

SHOWN = 2000  # Points of each cloud on a sheet.
SHEET_DPI = 144.0
DRAW_BATCH = 4096


class ScatterSheets(Sheets):
    """Clouds: the real points in grey, those of fixed latents over them."""

    def __init__(self, folder: Path, packed: PackedPoints, *, seed: int) -> None:
        super().__init__(folder)
        self.seed, self.real = seed, some_of(packed)

    def reals(self) -> None:
        """The real points alone."""
        self._write("reals", self.real, None, title="Real points")

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """What the averaged model makes of the fixed latents, over the real points."""
        drawn = draw_points(state, stage, SHOWN, seed=self.seed)
        self._write(name, drawn, self.real, title=f"{state.nimg / 1000:,.6g} thousand points shown")

    def _write(self, name: str, points: NDArray[np.float32], real: NDArray[np.float32] | None, *, title: str) -> None:
        write(scatter(points, real, title=title), self.folder / f"{name}.png", dpi=SHEET_DPI)


class GameSheets(Sheets):
    """Of points in a plane: clouds with the critic's level lines and pushes, beside the map of a grid of latents.

    What a sheet shows is kept beside it as numbers, from which a page that plays is made in the end.
    """

    def __init__(self, folder: Path, packed: PackedPoints, *, seed: int) -> None:
        super().__init__(folder)
        self.seed, self.real = seed, some_of(packed)
        across, upwards = equal_spans([span_of(self.real[:, axis]) for axis in (0, 1)])
        self.spans = (across, upwards)

    def reals(self) -> None:
        """The real points alone."""
        write(scatter(self.real, title="Real points"), self.folder / "reals.png", dpi=SHEET_DPI)

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """What the averaged model makes of fixed latents, and what its critic thinks of it."""
        with averaged_players(state) as model:
            moment = point_moment(model, stage, nimg=state.nimg, n=SHOWN, spans=self.spans, seed=self.seed)
        moment.write(self.folder / f"{name}.npz")
        title = f"{state.nimg / 1000:,.6g} thousand points shown"
        write(critic_sheet(moment, self.real, title=title), self.folder / f"{name}.png", dpi=SHEET_DPI)

    def film(self) -> None:
        """All sheets so far as an animation, and the page that plays."""
        super().film()
        run = RunFolder(self.folder.parent)
        moments = [moment for path in run.moments() if (moment := PointMoment.read(path)) is not None]
        if len(moments) > 1:
            with atomic_file(run.player) as partial:
                partial.write_text(point_film(f"The game of {run.path.name}", moments, self.real), encoding="utf-8")


def some_of(packed: PackedPoints) -> NDArray[np.float32]:
    """Real points for a sheet, evenly over the data."""
    return packed.read(np.linspace(0, len(packed) - 1, min(SHOWN, len(packed))).astype(np.int64))


def draw_points(state: State, stage: Stage, n: int, *, seed: int, purpose: str = "sheet") -> NDArray[np.float32]:
    """``n`` points (n, d) of the model with its averaged players; training notices nothing."""
    with averaged_players(state) as model:
        drawn = [
            part.detach().float().cpu()
            for part in drawn_samples(model, n, seed=seed, purpose=purpose, stage=stage, batch=DRAW_BATCH)
        ]
    return torch.cat(drawn).numpy()
