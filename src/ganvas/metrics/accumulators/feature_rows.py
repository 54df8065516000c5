"""Keeps every row of features: what metrics hold that need more of a set than its moments.

Many metrics of one pass keep the same rows. They say so by ``shares = "kept"``: whoever feeds them fills one and lets
the others :meth:`~ganvas.metrics.accumulators.metric_contract.Stats.adopt` its rows, so that they lie in memory (or,
beyond a gigabyte, on the disk) once. A million rows of 2048 floats are 8.2 GB on the disk, a gigabyte of it in memory,
and what :meth:`FeatureRows.blocks` reads at a time: 34 MB.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Shaped
from torch import Tensor

from ganvas.metrics.accumulators.metric_contract import Stats

BLOCK = 4096  # Rows read at a time.


class FeatureRows(Stats):
    """Every row of features, in the precision in which it came; or every picture, for metrics that see pixels."""

    shares = "kept"

    def _add(self, rows: Tensor, index: Tensor) -> None:
        self._append("rows", rows)

    def blocks(self, size: int = BLOCK) -> Iterator[Shaped[Tensor, "block *one"]]:
        """The rows by their place in the set, ``size`` at a time: the same blocks in whatever order they came."""
        order = self.tables["index"].all().long().argsort(stable=True)
        for places in order.split(size):
            yield self.tables["rows"].take(places)

    def features(self) -> Shaped[Tensor, "n *one"]:
        """All rows by their place in the set."""
        return torch.cat(list(self.blocks()))
