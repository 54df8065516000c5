"""Discriminators as judges: each sees whole batches of one kind of picture, in the way in which it learnt to see them.

A discriminator with batch normalisation learns from batches that are all real or all generated, normalised by their own
statistics. With the running statistics, which mix both kinds, it may find noise more real than reals: a DCGAN of digits
gave reals 2.75 and the pictures of an untrained generator 37.1, and with the batch's statistics 2.52 and -1.85.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ganvas.nn.norms.batch_norm import BatchNorm2d

NORMS = (BatchNorm2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
CHANCE = 0.5  # The score of a judge that tells nothing apart.


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """While inside, batch norms take the mean and variance of the batch, as in training, and learn nothing from it."""
    norms = [module for module in network.modules() if isinstance(module, NORMS)]
    modes = [norm.training for norm in norms]
    running = [{name: buffer.clone() for name, buffer in norm.named_buffers()} for norm in norms]
    try:
        for norm in norms:
            norm.train()
        yield
    finally:
        for norm, mode, kept in zip(norms, modes, running, strict=True):
            norm.train(mode)
            for name, buffer in norm.named_buffers():
                buffer.copy_(kept[name])


def outputs(judge: Callable[[Tensor], Tensor], pictures: Tensor, *, batch: int) -> Tensor:
    """One output per picture (n, ...), of batches that are all of one size: the last one begins earlier.

    Args:
        judge: Gives one output per picture of a batch.
        pictures: Of one kind, real or of one generator.
    """
    n = len(pictures)
    found = []
    for start in range(0, n, batch):
        first = max(0, min(start, n - batch))
        found.append(judge(pictures[first : first + batch])[start - first :])
    return torch.cat(found)
