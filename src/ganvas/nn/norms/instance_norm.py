"""Instance norm with a scale and a shift for each channel (Ulyanov et al. 2016), https://arxiv.org/abs/1607.08022."""

import torch
from torch import nn


class ScaledInstanceNorm2d(nn.InstanceNorm2d):
    """``nn.InstanceNorm2d(channels, affine=True)`` that can be started."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """Scales of 1 and shifts of 0; draws nothing."""
        self.reset_parameters()
