"""Sums over all ranks that can be differentiated, as often as one likes.

A layer that mixes the images of a batch (minibatch standard deviation, batch norm) must see the whole batch when it
is shared between processes, in its value, in its gradient and, under a gradient penalty, in the gradient of that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganvas.core.shapes import PerSample

_ALONE = ContextVar("alone", default=False)


@contextmanager
def alone() -> Iterator[None]:
    """While inside, layers see what this process gives them as the whole batch."""
    token = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(token)


def count_ranks() -> int:
    """How many processes share the batch; 1 without a process group, and inside of :func:`alone`."""
    if _ALONE.get():
        return 1
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def all_ranks_sum(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """``y = sum_r x_r``, the same on every rank; ``x`` itself on one.

    The loss is the sum of what the ranks compute, so ``dL/dx_r = sum_s dL_s/dy``: the derivative of this sum is this
    sum, at every order. Every rank must call it, and differentiate it, in the same order.
    """
    return _AllRanksSum.apply(x) if count_ranks() > 1 else x


def all_ranks_rows(x: Float[Tensor, "n *shape"]) -> Float[Tensor, "rows *shape"]:
    """The rows of the whole batch, in their order, on every rank. Ranks hold rows strided (``Ranks.share``)."""
    count = count_ranks()
    if count == 1:
        return x
    mine = torch.arange(count, device=x.device) == dist.get_rank()
    placed = x.unsqueeze(1) * mine.to(x.dtype).view(1, count, *[1] * (x.ndim - 1))  # Zero where others' rows belong.
    return all_ranks_sum(placed).flatten(0, 1)


def all_ranks_mean(x: Float[Tensor, "n *shape"]) -> Float[Tensor, "*shape"]:
    """The mean over the rows of the whole batch, of which every rank has equally many."""
    return all_ranks_sum(x.sum(0)) / (len(x) * count_ranks())


def sums_by_count(values: Float[Tensor, "n *shape"], counted: Bool[Tensor, "n *shape"]) -> PerSample:
    """Sums (n,) whose mean over the whole batch is the sum of all its values over the number of counted ones.

    The number is taken as 1 where nothing is counted.
    """
    total = all_ranks_sum(counted.sum().to(values.dtype)).clamp_min(1)
    return values.flatten(1).sum(1) * (len(values) * count_ranks()) / total


def own_rows(n: int, device: torch.device) -> Int[Tensor, " n"]:
    """Where this rank's ``n`` rows stand in the whole batch."""
    count = count_ranks()
    return torch.arange(n, device=device) * count + (dist.get_rank() if count > 1 else 0)


class _AllRanksSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        return _AllRanksSum.apply(grad)
