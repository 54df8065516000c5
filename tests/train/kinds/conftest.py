"""Ranks that meet within one process."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from ganvas.core.ranks import Ranks
from ganvas.nn.layers import across_ranks


@pytest.fixture
def together(monkeypatch):
    """What two ranks compute at once, each in a thread of its own that waits for the other's numbers."""

    def run(calls):
        meeting, brought = threading.Barrier(2), [None, None]
        here = threading.local()

        def met(rank, own):
            """What both brought, tensor by tensor."""
            brought[rank] = [tensor.clone() for tensor in own]
            meeting.wait(timeout=20)
            both = [torch.stack(each) for each in zip(*brought, strict=True)]
            meeting.wait(timeout=20)
            return both

        def average_(self, tensors):
            own = list(tensors)
            for tensor, both in zip(own, met(self.rank, own), strict=True):
                tensor.copy_(both.mean(0))

        def all_reduce(tensor):
            tensor.copy_(met(here.rank, [tensor])[0].sum(0))

        def live(rank, call):
            here.rank = rank
            return call()

        with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
            patch.setattr(Ranks, "average_", average_)
            patch.setattr(across_ranks, "count_ranks", lambda: 2)
            patch.setattr(across_ranks.dist, "all_reduce", all_reduce)
            return [future.result() for future in [pool.submit(live, *each) for each in enumerate(calls)]]

    return run
