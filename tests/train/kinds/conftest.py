"""Ranks that meet within one process."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from ganvas.core.ranks import Ranks


@pytest.fixture
def together(monkeypatch):
    """What two ranks compute at once, each in a thread of its own that waits for the other's numbers."""

    def run(calls):
        meeting, brought = threading.Barrier(2), [None, None]

        def average_(self, tensors):
            own = list(tensors)
            brought[self.rank] = [tensor.clone() for tensor in own]
            meeting.wait(timeout=20)
            for tensor, *both in zip(own, *brought, strict=True):
                tensor.copy_(torch.stack(both).mean(0))
            meeting.wait(timeout=20)

        with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
            patch.setattr(Ranks, "average_", average_)
            return [future.result() for future in [pool.submit(call) for call in calls]]

    return run
