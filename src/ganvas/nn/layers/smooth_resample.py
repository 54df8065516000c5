"""Halving and doubling of pictures with the binomial filter [1, 3, 3, 1] along each side, and with a convolution.

A box average lets high frequencies fold over into low ones, and a nearest neighbour leaves squares; both have to be
unlearnt. This filter is the smallest that is smooth in both directions. Doubled with it, a picture is interpolated
linearly between the centres of its pixels. Networks of StyleGAN2 (Karras et al. 2020,
https://arxiv.org/abs/1912.04958) and R3GAN (Huang et al. 2024, https://arxiv.org/abs/2501.05441) use it throughout.
Around the picture are zeros.

A convolution with doubling goes through the small picture first and is smoothed afterwards: a quarter of the
multiplications of the same convolution on the doubled picture.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.nn.layers.operand_checks import need_pictures

TAPS = 4


def smooth(x: Float[Tensor, "n c h w"], *, margin: int) -> Float[Tensor, "n c h2 w2"]:
    """Filtered by ``[1, 3, 3, 1] / 8`` along each side, with ``margin`` zeros around: a side of h has h + 2 margin - 3.

    The taps stand between pixels, so that half a pixel is lost at either end.
    """
    need_pictures(x)
    return F.conv2d(x, _kernel(x), padding=margin, groups=x.shape[1])


def smooth_double(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 2*h 2*w"]:
    """Twice the size: ``(x_i-1 + 3 x_i) / 4`` and ``(3 x_i + x_i+1) / 4`` along each side."""
    need_pictures(x)
    return F.conv_transpose2d(x, 4 * _kernel(x), stride=2, padding=1, groups=x.shape[1])


def smooth_halve(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h//2 w//2"]:
    """Half the size: ``(x_2i-1 + 3 x_2i + 3 x_2i+1 + x_2i+2) / 8`` along each side, a quarter of doubling's adjoint.

    Raises:
        UserError: a side is odd.
    """
    need_pictures(x)
    height, width = x.shape[2:]
    if height % 2 or width % 2:
        raise UserError(f"A picture of {height} x {width} (height x width) cannot be halved: both sides must be even.")
    return F.conv2d(x, _kernel(x), stride=2, padding=1, groups=x.shape[1])


def smooth_up_conv(
    x: Float[Tensor, "n c_in h w"], kernel: Float[Tensor, "c_out c_in_of_group 3 3"], *, groups: int = 1
) -> Float[Tensor, "n c_out 2*h 2*w"]:
    """Doubling, then a 3 x 3 convolution, which also sees the doubled picture's overhang: a pixel outside its border.

    With zeros between the pixels of x, both are convolutions and may change places: the 3 x 3 kernel meets the small
    picture (a transposed convolution of stride 2), and what comes out is smoothed.
    """
    need_pictures(x)
    turned = kernel.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1).flip(2, 3)
    y = F.conv_transpose2d(x, turned, stride=2, groups=groups)
    return F.conv2d(y, 4 * _kernel(y), padding=1, groups=y.shape[1])


def _kernel(x: Tensor) -> Float[Tensor, "c 1 4 4"]:
    """The filter for every channel, summing to 1; made where x is, so that nothing is copied to a GPU."""
    places = torch.arange(TAPS, dtype=x.dtype, device=x.device)
    taps = (TAPS - (2 * places - (TAPS - 1)).abs()) / 8
    return torch.outer(taps, taps).expand(x.shape[1], 1, TAPS, TAPS)
