"""One process or many: the same code, started by ``torchrun`` or not.

Gradients are averaged over ranks by one all-reduce of a flat buffer. DistributedDataParallel is not used: it is
silently wrong when a backward pass reaches a network through a gradient penalty only.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Which of how many processes this is."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this rank writes files and speaks to the person."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """This rank's rows of a whole batch: every ``count``-th, from ``rank`` on.

        Strided, not contiguous, because then the strided groups of minibatch standard deviation on one rank are
        exactly groups of the whole batch.
        """
        return rows[self.rank :: self.count] if self.count > 1 else rows

    def average_(self, tensors: Iterable[Tensor]) -> None:
        """Replaces each tensor by its mean over ranks, through one flat buffer."""
        listed = list(tensors)
        if self.count == 1 or not listed:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in listed])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, part in zip(listed, flat.split([tensor.numel() for tensor in listed]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def barrier(self) -> None:
        """Waits for the others."""
        if self.count > 1:
            dist.barrier()

    def agree(self, flag: bool) -> bool:
        """Whether any rank raised the flag. Every rank gets the same answer."""
        if self.count == 1:
            return flag
        votes = torch.tensor(float(flag))
        votes = votes.cuda() if dist.get_backend() == "nccl" else votes
        dist.all_reduce(votes)
        return bool(votes.item() > 0)


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Joins the process group that ``torchrun`` announced, if any, and leaves it at the end."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Ranks()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(rank=dist.get_rank(), count=count)
        dist.barrier()  # Without it gloo aborts now and then while the peers still talk.
    finally:
        dist.destroy_process_group()
