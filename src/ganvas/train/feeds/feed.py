"""The contract of a feed, and what every feed is made of: an order of the data, and a reader of its rows.

The order is a function of (seed, epoch): a fresh shuffle per pass over the data. The position in it is ``nimg``, so
there is nothing to store and nothing to lose when a run is stopped.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.game import Batch

HOLD_SHARE = 0.6  # Of the device's free memory that the data may take.
HOLD_BYTES = 256 * 2**20  # On a CPU the memory map serves as well; only small sets are worth a copy.


class Feed(ABC):
    """Deals the batch of every step, as a function of (seed, nimg) and of the stage."""

    @abstractmethod
    def batch(self, nimg: int, stage: Stage) -> Batch:
        """This rank's share of the batch at ``nimg``, on the device; without a random stream."""

    @abstractmethod
    def close(self) -> None:
        """Stops reading ahead."""


@runtime_checkable
class RowTable(Protocol):
    """What is read row by row: a packed set of pictures, a store of points."""

    def __len__(self) -> int: ...

    def read(self, indices: Any) -> np.ndarray:
        """The rows of these indices, in the order asked."""
        ...


@runtime_checkable
class LiesInShards(Protocol):
    """A table whose rows lie in shards."""

    @property
    def rows_of_shards(self) -> list[int]:
        """Rows of each shard, in the order in which they lie."""
        ...


class Order:
    """Which rows a batch holds: one shuffle of all rows after the other."""

    def __init__(self, count: int, *, seed: int, name: str = "order") -> None:
        self.count, self.seed, self.name = count, seed, name
        self._orders: dict[int, Tensor] = {}

    def indices(self, nimg: int, batch_size: int) -> Tensor:
        """The rows of a whole batch (batch_size,), before it is shared among ranks."""
        epoch, offset = divmod(nimg, self.count)
        taken = self._order(epoch)[offset : offset + batch_size]
        while len(taken) < batch_size:
            epoch += 1
            taken = torch.cat([taken, self._order(epoch)[: batch_size - len(taken)]])
        return taken

    def _order(self, epoch: int) -> Tensor:
        order = self._orders.get(epoch)
        if order is None:  # The reading thread and this one may both come here: each leaves a whole dictionary.
            order = torch.randperm(self.count, generator=stream(self.seed, self.name, epoch))
            self._orders = {kept: old for kept, old in self._orders.items() if kept == epoch - 1} | {epoch: order}
        return order


@dataclass(frozen=True, kw_only=True)
class FeedRows:
    """What one rank reads from the data for one step: a row per sample, and its label where there are labels."""

    values: Tensor
    labels: Tensor | None


class RowReader:
    """Rows of a table in an order, on the device: held there when they fit, else read ahead by a thread."""

    def __init__(
        self,
        table: RowTable,
        order: Order,
        *,
        device: torch.device,
        ranks: Ranks,
        labels: Sequence[int] | np.ndarray | None = None,
        hold: bool | None = None,
    ) -> None:
        self.table, self.order, self.device, self.ranks = table, order, device, ranks
        self.labels = None if labels is None else torch.from_numpy(np.array(labels))
        self.held: Tensor | None = None
        if hold if hold is not None else fits(table, device):
            self.held = torch.from_numpy(table.read(np.arange(len(table)))).to(device)
            self.labels = None if self.labels is None else self.labels.to(device)
        self._reader = None if self.held is not None else ThreadPoolExecutor(max_workers=1)
        self._ahead: tuple[tuple[int, int], Future[FeedRows]] | None = None

    def rows(self, nimg: int, batch_size: int) -> FeedRows:
        """This rank's rows of the batch at ``nimg``."""
        if self._reader is None:
            return self._gather(nimg, batch_size)
        wanted = (nimg, batch_size)
        ahead = self._ahead
        rows = ahead[1].result() if ahead is not None and ahead[0] == wanted else self._gather(*wanted)
        following = (nimg + batch_size, batch_size)  # A change of the batch size only wastes one read.
        self._ahead = (following, self._reader.submit(self._gather, *following))
        return rows

    def close(self) -> None:
        """Stops reading ahead."""
        if self._reader is not None:
            self._reader.shutdown(wait=True, cancel_futures=True)

    def _gather(self, nimg: int, batch_size: int) -> FeedRows:
        index = self.ranks.share(self.order.indices(nimg, batch_size))
        if self.held is not None:
            index = index.to(self.device, non_blocking=True)
            return FeedRows(values=self.held[index], labels=None if self.labels is None else self.labels[index])
        values = torch.from_numpy(self.table.read(index.numpy()))
        labels = None if self.labels is None else self.labels[index]
        if self.device.type == "cuda":
            values = values.pin_memory().to(self.device, non_blocking=True)
            labels = None if labels is None else labels.pin_memory().to(self.device, non_blocking=True)
        return FeedRows(values=values, labels=labels)


def fits(table: RowTable, device: torch.device) -> bool:
    """Whether the rows take less than ``HOLD_SHARE`` of the memory that is free on the device.

    Rows of shards are left where they are: to decode all of them before the first step may take hours.
    """
    if isinstance(table, LiesInShards):
        return False
    size = len(table) * table.read(np.arange(1)).nbytes
    if device.type == "cuda":
        return size < HOLD_SHARE * torch.cuda.mem_get_info(device)[0]
    return size < HOLD_BYTES
