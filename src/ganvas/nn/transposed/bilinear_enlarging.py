"""Bilinear enlarging as a transposed convolution that may learn (Long et al. 2015, section 3.3).

With kernel 2 s and stride s the weights are products of ``1 - |i + 1/2 - s| / s`` along both sides, so that inside of a
map every output is the bilinear interpolation of its neighbours. https://arxiv.org/abs/1411.4038
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.nn.layers.initialise import filled, unset


def bilinear_kernel(factor: int) -> Float[Tensor, "k k"]:
    """The weights of one map, of side ``2 factor``; its entries sum to ``factor^2``.

    >>> bilinear_kernel(2)[0].tolist()
    [0.0625, 0.1875, 0.1875, 0.0625]
    """
    side = 1 - (torch.arange(2 * factor) + 0.5 - factor).abs() / factor
    return side[:, None] * side


class BilinearEnlarging(nn.Module):
    """From h to ``(h + 1) factor``: every map on its own, or, where it learns, all of them into all.

    Args:
        maps: Before and after.
        factor: How many times larger.
        learnt: Whether the kernels, which start bilinear, are parameters.
    """

    fixed: Tensor

    def __init__(self, maps: int, factor: int, *, learnt: bool) -> None:
        super().__init__()
        self.maps, self.factor = maps, factor
        self.weight = unset(maps, maps, 2 * factor, 2 * factor) if learnt else None
        self.register_buffer("fixed", bilinear_kernel(factor).view(1, 1, 2 * factor, 2 * factor), persistent=False)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """Bilinear; draws nothing."""
        if self.weight is not None:
            self.weight.zero_()
            places = torch.arange(self.maps)
            self.weight[places, places] = self.fixed[0, 0]

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
        if self.weight is not None:
            return F.conv_transpose2d(x, filled(self.weight).to(x.dtype), stride=self.factor)
        kernel = self.fixed.to(x.dtype).expand(self.maps, 1, -1, -1)
        return F.conv_transpose2d(x, kernel, stride=self.factor, groups=self.maps)

    def extra_repr(self) -> str:
        return f"{self.maps}, factor={self.factor}, learnt={self.weight is not None}"
