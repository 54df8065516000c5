"""Batch normalisation as a step of a flow: its scale counts in the log-determinant.

Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP (ICLR 2017), section 3.7 and appendix E,
https://arxiv.org/abs/1605.08803.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import PerSample
from ganvas.nn.invertible.bijection import Bijection, no_change
from ganvas.nn.layers.across_ranks import all_ranks_sum

Maps = Float[Tensor, "n c h w"]
Mask = Float[Tensor, "1 1 h w"]


class FlowBatchNorm(Bijection):
    """``(x - mean) / sqrt(variance + eps)`` of the places that a mask marks; the log-determinant is that of its slopes.

    In training mean and variance of each channel are the batch's, of all ranks, so a picture's likelihood depends on
    the others beside it; in evaluation they are the running ones, which is what is drawn with and measured.

    Args:
        mask: 1 at the places that are normalised, 0 at those that pass as they are.
        momentum: How far a batch moves the running statistics.
    """

    running_mean: Tensor
    running_variance: Tensor
    mask: Tensor

    def __init__(self, channels: int, mask: Mask, *, momentum: float = 0.1, eps: float = 1e-4) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.register_buffer("mask", mask.clone(), persistent=False)
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_variance", torch.ones(channels))

    def reset(self, generator: torch.Generator) -> None:
        """No statistics yet; draws nothing."""
        self.running_mean.zero_()
        self.running_variance.fill_(1)

    def forward(self, x: Maps) -> tuple[Maps, PerSample]:
        mean, variance = self._of_batch(x) if self.training else (self.running_mean, self.running_variance)
        log_sd = 0.5 * torch.log(variance + self.eps)
        mask = self.mask.to(x.dtype)
        y = (x - mask * _wide(mean)) * torch.exp(-mask * _wide(log_sd))
        return y, no_change(x) - self.mask.sum() * log_sd.sum()

    def inverse(self, y: Maps) -> Maps:
        """With the running statistics, in training too: what is drawn has no batch of its own."""
        mask, log_sd = self.mask.to(y.dtype), 0.5 * torch.log(self.running_variance + self.eps)
        return y * torch.exp(mask * _wide(log_sd)) + mask * _wide(self.running_mean)

    def _of_batch(self, x: Maps) -> tuple[Tensor, Tensor]:
        mask = self.mask.to(x.dtype)
        count = all_ranks_sum(self.mask.sum() * len(x))
        mean = all_ranks_sum((x * mask).sum((0, 2, 3))) / count
        variance = all_ranks_sum((mask * (x - _wide(mean)).square()).sum((0, 2, 3))) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            self.running_variance.lerp_(variance.to(self.running_variance.dtype), self.momentum)
        return mean, variance


def _wide(per_channel: Tensor) -> Tensor:
    return per_channel.view(1, -1, 1, 1)
