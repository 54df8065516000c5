"""Self-attention for pictures (Zhang et al. 2019, SAGAN, section 3, https://arxiv.org/abs/1805.08318).

A convolution sees its neighbourhood; a dog's two eyes are further apart. Here every place looks at all others.
"""

from collections.abc import Callable
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ganvas.core.errors import UserError
from ganvas.nn.layers.operand_checks import need_pictures, need_side
from ganvas.nn.layers.plain_layers import Conv2d


class SelfAttention2d(nn.Module):
    """``x_j + gamma v(sum_i beta_ji h(x_i))`` with ``beta_ji = softmax_i(f(x_i) . g(x_j))`` (eqs. 1 to 3).

    f, g, h and v are 1x1 convolutions. The products are *not* divided by the square root of their length. gamma
    starts at 0: the network is first what it is without attention.

    Args:
        reduction: The inner channels are ``channels // reduction``; the paper's is 8.
        pool: Keys and values are taken at the maxima of 2 x 2 places, and values have half of the channels, as in
            the authors' code; the paper says neither.
        wrap: What is done to each convolution, such as :class:`~ganvas.nn.norms.spectral_norm.SpectralNorm`.
        start: What gamma starts at. At 0 the maps have no gradient on the very first step.
        twice: Use the form of attention that can be differentiated twice, for a gradient penalty. It holds all pairs
            of places in memory; torch's fast forms do not, and refuse a second derivative.
    """

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 8,
        pool: bool = False,
        wrap: Callable[[nn.Module], nn.Module] | None = None,
        start: float = 0.0,
        twice: bool = False,
    ) -> None:
        super().__init__()
        inner = channels // reduction
        if inner < 1:
            raise UserError(f"reduction={reduction} leaves none of {channels} channels. At most {channels} would do.")
        values = channels // 2 if pool else inner
        shapes = {"f": (channels, inner), "g": (channels, inner), "h": (channels, values), "v": (values, channels)}
        wrap = wrap or (lambda convolution: convolution)
        self.maps = nn.ModuleDict({name: wrap(Conv2d(*shape, 1, bias=False)) for name, shape in shapes.items()})
        self.start = start
        self.gamma = nn.Parameter(torch.full((), start))
        self.pool, self.twice = pool, twice

    def reset(self, generator: torch.Generator) -> None:
        """gamma's start; draws nothing. The convolutions draw for themselves."""
        nn.init.constant_(self.gamma, self.start)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        need_pictures(x)
        if self.pool:
            need_side(x, 2, "pooled by 2 x 2")
        keys, values = self.maps["f"](x), self.maps["h"](x)
        if self.pool:
            keys, values = F.max_pool2d(keys, 2), F.max_pool2d(values, 2)
        queries = self.maps["g"](x)
        with sdpa_kernel(SDPBackend.MATH) if self.twice else nullcontext():
            seen = F.scaled_dot_product_attention(_places(queries), _places(keys), _places(values), scale=1.0)
        seen = self.maps["v"](seen.squeeze(1).transpose(1, 2).unflatten(2, x.shape[2:]))
        return x + self.gamma.to(x.dtype) * seen


def _places(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1 hw c"]:
    """One head, channels side by side: what torch's fast forms take (on a CPU six times as fast at 64 x 64 places)."""
    return x.flatten(2).transpose(1, 2).unsqueeze(1).contiguous()
