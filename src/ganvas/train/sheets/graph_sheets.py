"""Sheets of graphs while a model learns them: drawn graphs of each moment, and some of the data."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int

from ganvas.core.schedule import Stage
from ganvas.data.graphs.graph_tables import AnyRows
from ganvas.data.graphs.packed_graphs import PackedGraphs
from ganvas.report.drawing.drawing import write
from ganvas.report.pictures.graph_sheet import graph_sheet
from ganvas.train.sampling.drawn import averaged_players, drawn_samples
from ganvas.train.sheets.sample_grids import Sheets
from ganvas.train.state import State

SHOWN, FEW, LARGE = 25, 4, 40  # Graphs of a sheet; of graphs of more than 40 nodes, 4.
SHEET_DPI = 96.0
DRAW_BATCH = 256


class GraphSheets(Sheets):
    """Graphs of fixed latents or streams, ``samples/<kimg>.png``, and some of the data, ``reals.png``."""

    def __init__(self, folder: Path, packed: PackedGraphs, *, seed: int) -> None:
        super().__init__(folder)
        self.packed, self.seed = packed, seed
        self.shown = SHOWN if packed.size.nodes <= LARGE else FEW

    def reals(self) -> None:
        """Real graphs, evenly over the data."""
        chosen = np.linspace(0, len(self.packed) - 1, min(self.shown, len(self.packed))).astype(np.int64)
        self._write("reals", self.packed.read(chosen), title="Real graphs")

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """What the averaged model draws."""
        drawn = draw_graphs(state, stage, self.shown, seed=self.seed)
        self._write(name, drawn, title=f"{state.nimg / 1000:,.6g} thousand graphs shown")

    def _write(self, name: str, tables: AnyRows, *, title: str) -> None:
        drawing = graph_sheet(list(tables), node_names=self.packed.node_names, title=title)
        write(drawing, self.folder / f"{name}.png", dpi=SHEET_DPI)


def draw_graphs(state: State, stage: Stage, n: int, *, seed: int, purpose: str = "sheet") -> Int[np.ndarray, "n v v"]:
    """``n`` graphs (n, v, v) of the model with its averaged players; training notices nothing."""
    with averaged_players(state) as model:
        drawn = list(drawn_samples(model, n, seed=seed, purpose=purpose, stage=stage, batch=DRAW_BATCH))
    return torch.cat(drawn).cpu().numpy()
