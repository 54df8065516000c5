"""One process or many: the same code, started by ``torchrun`` or not.

Gradients are averaged over ranks by one all-reduce of a flat buffer. DistributedDataParallel is not used: it is
silently wrong when a backward pass reaches a network through a gradient penalty only.

Within a step a process waits for the others for a minute, not for torch's half an hour: a cut link says nothing.
Where the first process packs data, draws or measures, the others wait at a barrier, for as long as such work takes.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from ganvas.core.errors import TrainingFailed

STEP_SECONDS = 60.0  # For which a process waits for another within a step.
BARRIER_SECONDS = 24 * 3600.0  # And at a barrier, while the first one works alone.


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Which of how many processes this is."""

    rank: int = 0
    count: int = 1
    patient: dist.ProcessGroup | None = None  # Of barriers; None of one process.
    apart: bool = False  # Nothing is averaged: every process goes its own way for some steps.

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
        if self.count == 1 or self.apart or not listed:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in listed])
        with _answered():
            dist.all_reduce(flat)
        flat /= self.count
        for tensor, part in zip(listed, flat.split([tensor.numel() for tensor in listed]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def gathered(self, tensor: Tensor) -> list[Tensor]:
        """Every rank's tensor, in the order of ranks, on every rank; all have one shape."""
        if self.count == 1:
            return [tensor]
        given = [torch.empty_like(tensor) for _ in range(self.count)]
        with _answered():
            dist.all_gather(given, tensor)
        return given

    def barrier(self) -> None:
        """Waits for the others, which may have long work to do."""
        if self.count > 1:
            with _answered():
                dist.barrier(group=self.patient)

    def agree(self, flag: bool) -> bool:
        """Whether any rank raised the flag. Every rank gets the same answer."""
        if self.count == 1:
            return flag
        return self._most(int(flag)) > 0

    def alike(self, number: int) -> bool:
        """Whether every rank gives the same number. Every rank gets the same answer."""
        return self.count == 1 or self._most(number) == -self._most(-number)

    def _most(self, number: int) -> int:
        """The largest of the ranks' numbers."""
        largest = torch.tensor(number)
        largest = largest.cuda() if dist.get_backend() == "nccl" else largest
        with _answered():
            dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest.item())


@contextmanager
def joined(device: torch.device, *, step_seconds: float = STEP_SECONDS) -> Iterator[Ranks]:
    """Joins the process group that ``torchrun`` announced, if any, and leaves it at the end.

    Args:
        step_seconds: For which a process waits for the others within a step before it gives up.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Ranks()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=timedelta(seconds=step_seconds))
    try:
        group = dist.new_group(timeout=timedelta(seconds=BARRIER_SECONDS))
        patient = group if isinstance(group, dist.ProcessGroup) else None
        ranks = Ranks(rank=dist.get_rank(), count=count, patient=patient)
        yield ranks
        ranks.barrier()  # Without it gloo aborts now and then while the peers still talk.
    finally:
        dist.destroy_process_group()


@contextmanager
def _answered() -> Iterator[None]:
    """Says in plain words that another process is gone: whoever waits for it must leave, and save nothing."""
    try:
        yield
    except RuntimeError as error:
        cause = str(error).strip().partition("\n")[0]
        raise TrainingFailed(
            "Another of the processes does not answer, so that this one ends too. What was saved last stands, and the "
            f"same command resumes from it. (torch says: {cause})"
        ) from error
