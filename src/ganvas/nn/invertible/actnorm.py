"""Actnorm: a shift and a scale for each channel, set once by data so that what comes out has mean 0 and variance 1.

Kingma, Dhariwal: Glow (NeurIPS 2018), section 3.1, https://arxiv.org/abs/1807.03039: batch normalisation that needs no
batch. Afterwards both are learnt as other parameters are. As in the authors' code the logarithm of the scale is stored
as a third of itself, so that it learns three times as fast.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import PerSample
from ganvas.nn.invertible.bijection import Bijection, no_change
from ganvas.nn.layers.across_ranks import all_ranks_sum
from ganvas.nn.layers.initialise import filled, unset

FACTOR = 3.0  # Of stored logarithms of scales.
LEAST = 1e-6  # Added to a deviation, as in the authors' code.

Maps = Float[Tensor, "n c h w"]


class Actnorm(Bijection):
    """``(x + bias) exp(3 logs)``, with the log-determinant ``3 h w sum(logs)``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.calibrating = False
        self.bias, self.logs = unset(channels), unset(channels)

    def reset(self, generator: torch.Generator) -> None:
        """The identity, which it stays where no data comes; draws nothing."""
        nn.init.zeros_(self.bias)
        nn.init.zeros_(self.logs)

    def forward(self, x: Maps) -> tuple[Maps, PerSample]:
        if self.calibrating:
            self._set_from(x)
        log_scale = FACTOR * filled(self.logs)
        y = (x + _wide(filled(self.bias))) * _wide(log_scale).exp()
        return y, no_change(x) + x.shape[2] * x.shape[3] * log_scale.sum()

    def inverse(self, y: Maps) -> Maps:
        return y * (-FACTOR * _wide(self.logs)).exp() - _wide(self.bias)

    @torch.no_grad()
    def _set_from(self, x: Maps) -> None:
        """``bias = -mean``, and scale ``1 / (sd + 1e-6)``, over the batch of all ranks."""
        count = all_ranks_sum(x.new_tensor(float(x.numel() // x.shape[1])))
        mean = all_ranks_sum(x.sum((0, 2, 3))) / count
        variance = all_ranks_sum((x - _wide(mean)).square().sum((0, 2, 3))) / count
        self.bias.copy_(-mean)
        self.logs.copy_(-(variance.sqrt() + LEAST).log() / FACTOR)


def calibrate_actnorms(module: nn.Module, inputs: Tensor) -> None:
    """Sets every actnorm below ``module`` from the inputs, one after another in a single pass."""
    norms = [part for part in module.modules() if isinstance(part, Actnorm)]
    try:
        for norm in norms:
            norm.calibrating = True
        with torch.no_grad():
            module(inputs)
    finally:
        for norm in norms:
            norm.calibrating = False


def _wide(per_channel: Tensor) -> Tensor:
    return per_channel.view(1, -1, 1, 1)
