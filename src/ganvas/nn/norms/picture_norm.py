"""Batch norm that in use takes the statistics of each picture alone.

Isola et al. 2017, pix2pix, section 3.4 (https://arxiv.org/abs/1611.07004): at test time batch norm keeps using the
statistics of the batch, and a batch is one picture. So it is instance norm with the weights that batch norm learnt.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.norms.batch_norm import BatchNorm2d


class PictureNorm2d(nn.Module):
    """Over the batch in training mode, over each picture in evaluation mode."""

    def __init__(self, channels: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.batch = BatchNorm2d(channels, eps=eps)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        if self.training:
            return self.batch(x)
        return F.instance_norm(x, weight=self.batch.weight, bias=self.batch.bias, eps=self.batch.eps)
