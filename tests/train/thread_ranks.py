"""Processes that are threads: tests of what several processes compute together, without starting any."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganvas.core.ranks import Ranks


class Meeting:
    """Where threads meet that stand for processes."""

    def __init__(self, count: int) -> None:
        self.count, self.given = count, dict[int, Any]()
        self.barrier = threading.Barrier(count, timeout=60)

    def exchanged(self, rank: int, value: Any) -> list[Any]:
        """What every thread gives, in the order of ranks."""
        self.given[rank] = value
        self.barrier.wait()
        everybody = [self.given[other] for other in range(self.count)]
        self.barrier.wait()
        return everybody


@dataclass(frozen=True, kw_only=True)
class ThreadRanks(Ranks):
    """A process that is a thread."""

    meeting: Meeting = field(default_factory=partial(Meeting, 1))

    def average_(self, tensors: Iterable[Tensor]) -> None:
        listed = list(tensors)
        if self.apart:
            return
        everybody = self.meeting.exchanged(self.rank, [tensor.detach().clone() for tensor in listed])
        for place, tensor in enumerate(listed):
            tensor.copy_(torch.stack([given[place] for given in everybody]).mean(0))

    def gathered(self, tensor: Tensor) -> list[Tensor]:
        return self.meeting.exchanged(self.rank, tensor)


def live_together(count: int, live: Callable[[ThreadRanks], None]) -> None:
    """Runs so many threads to their ends, each as one of the processes."""
    meeting = Meeting(count)
    everybody = [ThreadRanks(rank=rank, count=count, meeting=meeting) for rank in range(count)]
    threads = [threading.Thread(target=live, args=(ranks,)) for ranks in everybody]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
