"""L2 normalisation of the channels of every pixel, with a learnt gain (Liu et al. 2016, ParseNet, section 3.3).

Feature maps of several depths have different scales; side by side, the largest would drown the others. A gain that
starts well above 1 keeps the gradient from vanishing. https://arxiv.org/abs/1506.04579
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

EPSILON = 1e-12  # Of the squared norm.


class L2Norm(nn.Module):
    """``g_c x_c / sqrt(sum_c x_c^2)`` at every pixel; g starts at ``gain``."""

    def __init__(self, channels: int, *, gain: float = 10.0) -> None:
        super().__init__()
        self.gain = gain
        self.weight = nn.Parameter(torch.full((channels,), gain))

    def reset(self, generator: torch.Generator) -> None:
        """The gain that it starts with; draws nothing."""
        del generator
        nn.init.constant_(self.weight, self.gain)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        length = (wide.square().sum(1, keepdim=True) + EPSILON).rsqrt()
        return (wide * length * self.weight[:, None, None]).to(x.dtype)
