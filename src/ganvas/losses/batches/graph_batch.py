"""The batch of graphs, as tables of the kinds of their nodes and edges."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.core.shapes import GraphTables
from ganvas.losses.game import Batch


@dataclass(frozen=True, kw_only=True)
class Graphs(Batch):
    """Graphs of at most as many nodes as a table (:mod:`ganvas.core.sample_sizes.graph_size`) has rows."""

    unit: ClassVar[SampleUnit] = "graphs"
    tables: GraphTables

    @property
    def size(self) -> int:
        """Graphs on this rank."""
        return self.tables.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the graphs are."""
        return self.tables.device

    @property
    def nodes(self) -> Int[Tensor, "n v"]:
        """The kind of each node, 0 where there is none."""
        return self.tables.diagonal(dim1=1, dim2=2)

    @property
    def edges(self) -> GraphTables:
        """The kind of edge between any two nodes, 0 where there is none; 0 on the diagonal."""
        return self.tables - torch.diag_embed(self.nodes)

    @property
    def mask(self) -> Bool[Tensor, "n v"]:
        """Where there is a node."""
        return self.nodes > 0
