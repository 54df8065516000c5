"""An order for data that lies in shards: shards shuffled, then the rows of a few neighbours among themselves.

Reads stay within a window of shards, and nothing is stored but the borders of shards: a shuffle of a hundred million
rows would be 800 MB. Like every order it is a function of (seed, epoch, position).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.hashes.permutations import permuted
from ganvas.train.feeds.feed import LiesInShards, Order, RowTable

WINDOW = 16  # Shards whose rows are mixed.


def order_of(table: RowTable, *, seed: int, name: str) -> Order:
    """A shuffle of all rows where they lie together; of shards one that stays in a few of them at a time."""
    if isinstance(table, LiesInShards):
        return WindowedOrder(table.rows_of_shards, seed=seed, name=name)
    return Order(len(table), seed=seed, name=name)


class WindowedOrder(Order):
    """Which rows a batch holds, where rows lie in shards one after the other.

    Args:
        shards: Rows of each shard, in the order in which they lie.
        window: Shards whose rows are mixed; as many as there are, or more, mix all.
    """

    def __init__(self, shards: Sequence[int], *, seed: int, name: str = "order", window: int = WINDOW) -> None:
        super().__init__(sum(shards), seed=seed, name=name)
        self.window = window
        self._rows = np.array(shards, np.int64)
        self._starts = np.cumsum(self._rows) - self._rows
        self._laid_out = lru_cache(maxsize=2)(self._lay_out)

    def indices(self, nimg: int, batch_size: int) -> Tensor:
        """The rows of a whole batch (batch_size,), before it is shared among ranks."""
        positions = np.arange(nimg, nimg + batch_size)
        epochs = positions // self.count
        parts = [self._of_epoch(int(epoch), positions[epochs == epoch] % self.count) for epoch in np.unique(epochs)]
        return torch.from_numpy(np.concatenate(parts))

    def _of_epoch(self, epoch: int, places: np.ndarray) -> np.ndarray:
        """The rows at places of one pass over the data."""
        order, ends = self._laid_out(epoch)
        windows = np.append(ends[self.window - 1 :: self.window], ends[-1:])  # Where each ends; the last maybe twice.
        which = np.searchsorted(windows, places, side="right")
        mixed = places.copy()
        for number in np.unique(which):
            start, end = (int(windows[number - 1]) if number else 0), int(windows[number])
            here = which == number
            key = derive_seed(self.seed, self.name, epoch, "window", int(number))
            mixed[here] = start + permuted(places[here] - start, end - start, key=key)
        at = np.searchsorted(ends, mixed, side="right")
        return self._starts[order[at]] + mixed - (ends[at] - self._rows[order[at]])

    def _lay_out(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The shards in the order of an epoch, and where each ends when they are laid one behind the other."""
        key = derive_seed(self.seed, self.name, epoch, "shards")
        order = permuted(np.arange(len(self._rows)), len(self._rows), key=key)
        return order, np.cumsum(self._rows[order])
