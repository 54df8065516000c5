"""Partial convolution (Liu et al. 2018, Image Inpainting for Irregular Holes, https://arxiv.org/abs/1804.07723).

A convolution that sees the known pixels alone, and makes up for those that it does not see by their share: what it
gives depends on the picture and not on what lies in the hole. The hole closes from its rim, a ring a layer.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.plain_layers import Conv2d

Mask = Float[Tensor, "n _ h w"]


class PartialConv2d(nn.Module):
    """``W (x where known) * k^2 / known + b`` where anything is known, 0 elsewhere (eq. 1); and the new mask (eq. 2).

    Zeros around the picture count as unknown, so that in its corners a 3 x 3 kernel gives 9 / 4 of what it sees.

    Args:
        in_channels: A mask has one channel, or one for each of these; then ``known`` is the mean over channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        std: float | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.convolution = Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=bias, std=std
        )

    def forward(
        self, x: Float[Tensor, "n c h w"], mask: Mask
    ) -> tuple[Float[Tensor, "n c2 h2 w2"], Float[Tensor, "n 1 h2 w2"]]:
        """Features and the mask of what they could be computed from; 1 is known."""
        if mask.shape[1] not in (1, x.shape[1]):
            raise UserError(
                f"A mask of {mask.shape[1]} channels does not fit features of {x.shape[1]}: give it one, or as many."
            )
        bias = self.convolution.bias
        seen = self.convolution(torch.where(mask > 0, x, 0))
        known = self._known(mask)
        some = known > 0
        level = 0 if bias is None else bias.to(x.dtype).view(1, -1, 1, 1)
        scaled = (seen - level) * (self.kernel_size**2 / known.clamp_min(1e-6)) + level
        return torch.where(some, scaled, 0), some.to(x.dtype)

    def _known(self, mask: Mask) -> Float[Tensor, "n 1 h2 w2"]:
        """How many pixels of the window are known, as a mean over the channels."""
        ones = mask.new_ones(1, 1, self.kernel_size, self.kernel_size)
        return F.conv2d(mask.mean(1, keepdim=True), ones, stride=self.stride, padding=self.padding)
