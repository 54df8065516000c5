"""Adaptive instance norm: the mean and the deviation of every map of a picture come from elsewhere.

Huang and Belongie 2017, https://arxiv.org/abs/1703.06868, eq. 8. What a norm takes out of a picture is to a good part
its style, so that a style can be put in by giving another mean and another deviation: those of another picture's maps,
or what a network makes of a latent.
"""

from jaxtyping import Float
from torch import Tensor, nn


class AdaptiveInstanceNorm2d(nn.Module):
    """``scale (x - mean_hw x) / sqrt(var_hw x + eps) + shift``; population variance, no parameters."""

    def __init__(self, channels: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels, eps=eps)

    def forward(
        self, x: Float[Tensor, "n c h w"], scale: Float[Tensor, "n c"], shift: Float[Tensor, "n c"]
    ) -> Float[Tensor, "n c h w"]:
        return scale[..., None, None] * self.norm(x) + shift[..., None, None]
