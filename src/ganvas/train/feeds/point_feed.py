"""The feed of points: rows of numbers as they are, in a shuffled order."""

import torch

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.points.packed_points import PackedPoints
from ganvas.losses.batches.point_batch import Points
from ganvas.train.feeds.feed import Feed, Order, RowReader


class PointFeed(Feed):
    """Real points, step by step, with the part of the mixture that each was drawn from where that is known."""

    def __init__(
        self, packed: PackedPoints, *, seed: int, device: torch.device, ranks: Ranks, hold: bool | None = None
    ) -> None:
        order = Order(len(packed), seed=seed)
        self.reader = RowReader(packed, order, device=device, ranks=ranks, labels=packed.labels, hold=hold)

    def batch(self, nimg: int, stage: Stage) -> Points:
        """This rank's share of the batch at ``nimg``."""
        rows = self.reader.rows(nimg, stage.batch_size)
        return Points(points=rows.values, labels=rows.labels)

    def close(self) -> None:
        """Stops reading ahead."""
        self.reader.close()
