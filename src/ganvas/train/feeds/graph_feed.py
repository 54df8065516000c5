"""The feed of graphs: tables of kinds, in a shuffled order."""

import torch

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.graphs.packed_graphs import PackedGraphs
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.train.feeds.feed import Feed, Order, RowReader


class GraphFeed(Feed):
    """Real graphs, step by step."""

    def __init__(
        self, packed: PackedGraphs, *, seed: int, device: torch.device, ranks: Ranks, hold: bool | None = None
    ) -> None:
        self.reader = RowReader(packed, Order(len(packed), seed=seed), device=device, ranks=ranks, hold=hold)

    def batch(self, nimg: int, stage: Stage) -> Graphs:
        """This rank's share of the batch at ``nimg``."""
        return Graphs(tables=self.reader.rows(nimg, stage.batch_size).values.long())

    def close(self) -> None:
        """Stops reading ahead."""
        self.reader.close()
