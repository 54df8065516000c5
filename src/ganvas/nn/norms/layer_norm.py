"""Layer normalisation of a picture (Ba et al. 2016), as the ablation of progressive growing has it in its critic.

A critic under a gradient penalty must not mix the pictures of a batch, so it cannot use batch norm (Gulrajani et al.
2017, section 4). https://arxiv.org/abs/1607.06450

Departs from Ba et al., with the Theano code of Karras et al. 2018: one gain for the layer, one bias per channel
(instead of one of each per activation), and an epsilon of 1e-4 within the root. With ``gains="channels"`` there is one
gain per channel too, as MUNIT's decoder has it (Huang et al. 2018, https://arxiv.org/abs/1804.04732).
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.layers.operand_checks import need_channels


class LayerNorm2d(nn.Module):
    """``gain (x - mean_chw x) / sqrt(var_chw x + eps) + bias_c``; one picture at a time, population variance.

    It stands between convolution and activation. Its bias takes the place of the convolution's, whose effect would
    be partly removed by the mean. Statistics are taken in float32 at least.
    """

    def __init__(self, channels: int, *, gains: Literal["layer", "channels"] = "layer", eps: float = 1e-4) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(() if gains == "layer" else (channels, 1, 1)))
        self.bias = nn.Parameter(torch.zeros(channels))

    def reset(self, generator: torch.Generator) -> None:
        """Gain 1 and bias 0; draws nothing."""
        nn.init.ones_(self.gain)
        nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        need_channels(x, len(self.bias))
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        centred = wide - wide.mean((1, 2, 3), keepdim=True)
        variance = centred.square().mean((1, 2, 3), keepdim=True)
        scale = self.gain * torch.rsqrt(variance + self.eps)
        return (centred * scale + self.bias.view(1, -1, 1, 1)).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{self.bias.shape[0]}, eps={self.eps}"
