"""Bijections: maps with an inverse and a log-determinant, the steps of a normalising flow.

A density moves through them by ``log p(x) = log p(f(x)) + log |det df/dx|`` (Dinh et al. 2014, eq. 1,
https://arxiv.org/abs/1410.8516). The direction from data to latents is called forward, the one that draws inverse.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from ganvas.core.shapes import PerSample


class Bijection(nn.Module, ABC):
    """A map from samples (n, ...) to as many numbers, and back."""

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, PerSample]:
        """``f(x)``, and ``log |det df/dx|`` of each sample, in nats."""

    @abstractmethod
    def inverse(self, y: Tensor) -> Tensor:
        """``x`` with ``f(x) = y``, up to rounding."""


class BijectionChain(Bijection):
    """One bijection after another: log-determinants add up."""

    def __init__(self, *steps: Bijection) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)

    def forward(self, x: Tensor) -> tuple[Tensor, PerSample]:
        total = no_change(x)
        for step in self.steps:
            x, log_det = step(x)
            total = total + log_det
        return x, total

    def inverse(self, y: Tensor) -> Tensor:
        for step in reversed(self.steps):
            assert isinstance(step, Bijection)
            y = step.inverse(y)
        return y


def no_change(x: Tensor) -> PerSample:
    """The log-determinant of a map that changes no volume: zeros, in float32 at least."""
    return torch.zeros(len(x), dtype=torch.promote_types(x.dtype, torch.float32), device=x.device)


def sum_per_sample(x: Tensor) -> PerSample:
    """The sum over all numbers of each sample, in float32 at least."""
    return x.flatten(1).sum(1, dtype=torch.promote_types(x.dtype, torch.float32))
