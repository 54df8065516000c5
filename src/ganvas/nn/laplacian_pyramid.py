"""Laplacian pyramid (Burt & Adelson 1983): a picture as what each resolution adds to the next coarser one.

The filter is the 5 x 5 binomial ``[1 4 6 4 1]^T [1 4 6 4 1] / 256`` with mirrored borders (the edge is not repeated),
as in the sliced Wasserstein distance of Karras et al. 2018, section 5. https://doi.org/10.1109/TCOM.1983.1095851

Rows and columns are filtered one after the other, on the even and the odd ones apart: what would be dropped after
filtering is never computed, and nothing is multiplied by the zeros between pixels. Measured on one CPU core with 64
pictures of 128 x 128: 2.4 times as fast as strided depthwise convolutions with a reflecting border.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.shapes import Images
from ganvas.nn.layers.operand_checks import need_pictures
from ganvas.nn.transposed.transposed_geometry import layout

Level = Float[Tensor, "n c _ _"]  # Each of its own height and width.


def laplacian_pyramid(x: Images, levels: int) -> list[Level]:
    """``levels`` pictures, finest first: ``g_k - up(g_(k+1))`` with ``g_(k+1) = down(g_k)``, last the low-pass itself.

    Raises:
        UserError: a side cannot be halved ``levels - 1`` times.
    """
    need_pictures(x)
    height, width = x.shape[2:]
    halved = 2 ** (levels - 1) if levels >= 1 else 0
    if not halved or height % halved or width % halved:
        raise UserError(
            f"A Laplacian pyramid of {levels} levels of a picture of {height} x {width} (height x width) is not "
            f"possible: levels is at least 1, and both sides are multiples of 2^(levels - 1)."
        )
    pyramid = []
    for _ in range(levels - 1):
        coarse = down(x)
        pyramid.append(x - up(coarse))
        x = coarse
    return [*pyramid, x]


def reconstruct(pyramid: list[Level]) -> Images:
    """The picture of which ``pyramid`` is the Laplacian pyramid: ``g_k = l_k + up(g_(k+1))``."""
    x = pyramid[-1]
    for detail in reversed(pyramid[:-1]):
        x = detail + up(x)
    return x


def down(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h//2 w//2"]:
    """The filtered picture at its even rows and columns. Sides are even."""
    need_pictures(x)
    height, width = x.shape[2:]
    if height % 2 or width % 2:
        raise UserError(f"A picture of {height} x {width} (height x width) cannot be halved: both sides must be even.")
    return _down(_down(x, 2), 3)


def up(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2*h 2*w"]:
    """Four times the filtered picture of which ``x`` are the even rows and columns and the others zero."""
    need_pictures(x)
    return _up(_up(x, 3), 2).contiguous(memory_format=layout(x))


def _down(x: Tensor, dim: int) -> Tensor:
    # out_i = (x_(2i-2) + 4 x_(2i-1) + 6 x_(2i) + 4 x_(2i+1) + x_(2i+2)) / 16 in terms of even and odd x.
    even, odd = x.unflatten(dim, (-1, 2)).unbind(dim + 1)
    n = even.shape[dim]
    before, after = _neighbours(even, dim)
    odd_before = torch.cat([odd.narrow(dim, 0, 1), odd.narrow(dim, 0, n - 1)], dim)  # x_(-1) mirrors to x_1.
    return (before + after + 6 * even + 4 * (odd_before + odd)) / 16


def _up(x: Tensor, dim: int) -> Tensor:
    # Even outputs meet the taps 1 6 1, odd ones 4 4, of sum 8 each; half of the factor four belongs to this axis.
    before, after = _neighbours(x, dim)
    return torch.stack([(before + 6 * x + after) / 8, (x + after) / 2], dim + 1).flatten(dim, dim + 1)


def _neighbours(even: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Entries i - 1 and i + 1 of the even rows: the mirror of row -2 is row 2, that of row 2n is row 2n - 2."""
    n = even.shape[dim]
    before = torch.cat([even.narrow(dim, min(1, n - 1), 1), even.narrow(dim, 0, n - 1)], dim)
    after = torch.cat([even.narrow(dim, 1, n - 1), even.narrow(dim, n - 1, 1)], dim)
    return before, after
