"""One rank of ``test_across_ranks.py``: python program_of_a_rank.py FOLDER, with what torchrun announces.

Every operator that mixes the pictures of a batch meets this rank's share of one whole batch. Its output, first
gradient and the gradients of a gradient penalty are written to FOLDER.
"""

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from ganvas.core.ranks import Ranks
from ganvas.nn.blocks.minibatch_discrimination_layer import MinibatchDiscrimination
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.nn.layers.across_ranks import all_ranks_rows, all_ranks_sum
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.batch_norm import BatchNorm2d


class Sum(nn.Module):
    def forward(self, x):
        return torch.tanh(x) * all_ranks_sum(x.square().sum(0))


class Rows(nn.Module):
    def forward(self, x):
        return x * (all_ranks_rows(x).cumsum(0) ** 2)[-1]


class Discrimination(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = MinibatchDiscrimination(12, kernels=3, dims=2)

    def forward(self, x):
        self.inner.calibrate(x.flatten(1))
        return self.inner(x.flatten(1))


OPERATORS = {
    "sum": Sum,
    "rows": Rows,
    "stddev of all": lambda: MinibatchStdDev(None),
    "stddev of a group as large as the batch": lambda: MinibatchStdDev(8),
    "stddev of groups": lambda: MinibatchStdDev(2),
    "batch norm": lambda: BatchNorm2d(3),
    "discrimination": Discrimination,
}


def measure(operator, x, v, ranks):
    """What the whole batch gives in value, gradient and gradient of a penalty; rows of this rank, sums over all."""
    x = ranks.share(x).clone().requires_grad_()
    y = operator(x)
    loss = (F.softplus(y) * ranks.share(v)[:, : y[0].numel()].reshape(y.shape)).sum()
    (first,) = torch.autograd.grad(loss, x, create_graph=True)
    second, *parameters = torch.autograd.grad(first.square().sum(), [x, *operator.parameters()], allow_unused=True)
    found = {"value": y, "gradient": first, "penalty's gradient": second}
    for (name, _), gradient in zip(operator.named_parameters(), parameters, strict=True):
        if gradient is not None:
            found[f"{name} of all"] = all_ranks_sum(gradient)
    found |= {f"{name} of all": buffer for name, buffer in operator.named_buffers()}
    return {key: value.detach().clone() for key, value in found.items()}


def main(rank, count, folder):
    if count > 1:
        dist.init_process_group("gloo")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 3, 2, 2, generator=generator, dtype=torch.float64)
    v = torch.randn(8, 64, generator=generator, dtype=torch.float64)
    found = {}
    for name, build in OPERATORS.items():
        operator = build()
        initialise(operator, torch.Generator().manual_seed(1))
        found[name] = measure(operator.double(), x, v, Ranks(rank=rank, count=count))
    torch.save(found, folder / f"{rank}-of-{count}.pt")
    if count > 1:
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), Path(sys.argv[1]))
