"""The examination of a model that labels pixels: how well it names those of held-out pictures."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ganvas.core.pixels import to_float
from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Bytes
from ganvas.losses.capabilities import LabelsPixels, Segments
from ganvas.metrics.accumulators.label_map_counts import METRICS, LabelMapCounts, segmentation_protocol
from ganvas.metrics.maths.pairs.colour_table import ColourClasses
from ganvas.train.feeds.paired_feed import Pairs
from ganvas.train.monitors import MEASURE_BATCH, Examination, some_rows
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players
from ganvas.train.state import State


class SegmentExamination(Examination):
    """Scores of label maps, beside those of a table from colours to classes, which sees no shape.

    Args:
        pairs: Those that are trained on: the table is filled from them.
        held_out: Pairs that are not; None where none were named.
    """

    def __init__(self, plan: Plan, pairs: Pairs, held_out: Pairs | None) -> None:
        self.plan, self.pairs, self.held_out = plan, pairs, held_out
        self._floor: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """No pairs are held out."""
        return (
            "" if self.held_out is not None else "needs pairs that are not trained on. Name them with --held-out SRC."
        )

    @property
    def metrics(self) -> Sequence[str]:
        """The mean IU first."""
        return METRICS

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The scores of the averaged model and of the colour table; real label maps have none to be compared with."""
        assert self.held_out is not None
        config = state.model.config
        assert isinstance(config, LabelsPixels)
        rows = some_rows(len(self.held_out), self.plan.measure_n, seed=self.plan.seed, purpose="held out")
        device = next(state.model.parameters()).device
        counts = LabelMapCounts(config.pixel_classes)
        with averaged_players(state) as model:
            assert isinstance(model, Segments)
            for pictures, truth in pair_batches(self.held_out, rows):
                counts.add(truth, named_pixels(model, pictures, device=device))
        if self._floor is None:
            self._floor = self._table_scores(rows, config.pixel_classes)
        return [
            *counts.results(seed=self.plan.seed, protocol=self._protocol(len(rows), counts.classes)),
            *self._floor,
        ], []

    def _table_scores(self, rows: Int[np.ndarray, " k"], classes: int) -> list[Result]:
        assert self.held_out is not None
        counts = LabelMapCounts(classes)
        known = some_rows(len(self.pairs), self.plan.measure_n, seed=self.plan.seed, purpose="colour table")
        table = colour_classes(self.pairs, known, classes)
        for pictures, truth in pair_batches(self.held_out, rows):
            counts.add(truth, table.named(pictures))
        protocol = f"{self._protocol(len(rows), classes)}:colour-table-of-{len(known)}"
        return counts.results(seed=self.plan.seed, protocol=protocol, of="colour_table")

    def _protocol(self, n: int, classes: int) -> str:
        assert self.held_out is not None
        maps = self.held_out.maps.packed
        return segmentation_protocol(
            n, (maps.height, maps.width), classes, reference=f"held-out:{maps.fingerprint[:16]}"
        )


def colour_classes(pairs: Pairs, rows: Int[np.ndarray, " k"], classes: int) -> ColourClasses:
    """What the colours of some pairs tell of their classes."""
    table = ColourClasses(pairs.pictures.channels, classes)
    for pictures, truth in pair_batches(pairs, rows):
        table.add(pictures, truth)
    return table


def pair_batches(pairs: Pairs, rows: Int[np.ndarray, " k"]) -> Iterator[tuple[Bytes, Int[Tensor, "n h w"]]]:
    """Pictures and the classes of their pixels, some at a time."""
    for start in range(0, len(rows), MEASURE_BATCH):
        part = rows[start : start + MEASURE_BATCH]
        pictures = torch.from_numpy(pairs.read_pictures(part)).permute(0, 3, 1, 2)
        yield pictures, torch.from_numpy(pairs.read_classes(part))


@torch.no_grad()
def named_pixels(model: Segments, pictures: Bytes, *, device: torch.device) -> Int[Tensor, "n h w"]:
    """The class that a model finds most likely of every pixel."""
    return model.segment(to_float(pictures.to(device))).argmax(1).cpu()
