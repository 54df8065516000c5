"""Transposed convolution in every form that gives the same numbers.

All of them compute ``y[o] = sum of x[i] w[k] over i s + k d - p = o``, to rounding, with any kernel, stride, padding,
output padding, dilation and groups, in one to three dimensions:

- **native**: torch's own;
- **zero**: zeros between the pixels, then an ordinary convolution with the kernel turned round ("fractionally
  strided", the way hardware manuals draw it); s^2 times the multiplications on a picture;
- **subpixel**: an ordinary convolution with a kernel per phase, then depth-to-space
  (:mod:`ganvas.nn.transposed.subpixel`);
- **resize**: nearest resize and convolution, for the kernels that have that form
  (:mod:`ganvas.nn.transposed.resize_convolution`);
- **auto**: the quickest of the exact ones by a rule measured on a CPU (``benchmarks/operators.py``).
"""

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.errors import UserError, did_you_mean
from ganvas.nn.transposed.resize_convolution import conv_transpose_resize
from ganvas.nn.transposed.subpixel import conv_transpose_subpixel
from ganvas.nn.transposed.transposed_geometry import (
    Geometry,
    PerAxis,
    check_input,
    convolve_any,
    fit,
    geometry,
    insert_zeros,
    layout,
    swapped,
)

Method = Literal["native", "zero", "resize", "subpixel", "auto"]

# Where sub-pixel is as quick or quicker, measured: up to so many output channels, and with gradients, where kernel and
# rearrangement are paid twice more. With a kernel that is kept also in more cases, for which see the rule below.
FEW_OUTPUTS, FEW_OUTPUTS_IN_TRAINING = 8, 3
LEAST_PIXELS = 64  # Of the input: below, calls cost more than what they compute.


def conv_transpose(
    x: Float[Tensor, "n c *size"],
    weight: Float[Tensor, "c_in c_out_of_group *kernel"],
    bias: Float[Tensor, " c_out"] | None = None,
    *,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    method: Method | str = "auto",
) -> Float[Tensor, "n c_out2 *enlarged"]:
    """The transposed convolution of 1, 2 or 3 axes, as many as the weight has; channels last stays channels last.

    Args:
        padding: Places cut off each side of the full result; may be more than the kernel covers.
        output_padding: Places more at the end of each axis, less than the stride or the dilation.
        method: See the module. "resize" refuses kernels that are not ``box_stride * v``.

    Raises:
        UserError: shapes or settings that do not fit, with the numbers.
    """
    if method not in get_args(Method):
        known = get_args(Method)
        raise UserError(f"method='{method}' is not one of {', '.join(known)}.{did_you_mean(method, known)}")
    found = geometry(
        weight,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        groups=groups,
    )
    check_input(x, weight, bias, found)
    if method == "auto":
        method = "subpixel" if subpixel_is_faster(x, weight, found) else "native"
    return FORMS[method](x, weight, bias, found)


def conv_transpose_native(x: Tensor, weight: Tensor, bias: Tensor | None, found: Geometry) -> Tensor:
    """torch's own."""
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[weight.ndim - 3]
    settings = (found.stride, found.padding, found.output_padding, found.groups, found.dilation)
    return function(x, weight, bias, *settings).contiguous(memory_format=layout(x))


def conv_transpose_zero(x: Tensor, weight: Tensor, bias: Tensor | None, found: Geometry) -> Tensor:
    """``s - 1`` zeros between inputs, ``d (k - 1) - p`` around them, and an ordinary convolution of stride 1."""
    left = [e - 1 - p for e, p in zip(found.extent, found.padding, strict=True)]
    whole = [o + e - 1 for o, e in zip(found.output_size(x.shape[2:]), found.extent, strict=True)]
    kernel = swapped(weight, found.groups).flip(list(range(2, weight.ndim)))
    spread = fit(insert_zeros(x, found.stride), left, whole)
    y = convolve_any(spread, kernel, bias, dilation=found.dilation, groups=found.groups)
    return y.contiguous(memory_format=layout(x))


FORMS = {
    "native": conv_transpose_native,
    "zero": conv_transpose_zero,
    "resize": conv_transpose_resize,
    "subpixel": conv_transpose_subpixel,
}


def subpixel_is_faster(x: Tensor, weight: Tensor, found: Geometry) -> bool:
    """The rule of "auto", measured on CPUs; it looks at sizes alone, so that the same call always takes the same form.

    Sub-pixel wherever its output has few channels and no tap is wasted on a zero; with gradients only for the layer
    that makes the picture, with several pictures in the batch. On other devices torch's own is taken. Of a kernel that
    is kept from call to call this is too little to go by:
    :class:`~ganvas.nn.transposed.subpixel_layer.SubpixelConvTranspose`.
    """
    if not subpixel_may_be_faster(x, found):
        return False
    c_out = weight.shape[1]
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        return c_out <= FEW_OUTPUTS_IN_TRAINING and len(x) >= 8
    return c_out <= FEW_OUTPUTS and math.prod(x.shape[2:]) >= LEAST_PIXELS


def subpixel_may_be_faster(x: Tensor, found: Geometry) -> bool:
    """False where it never was: on other devices than a CPU, or with taps that are wasted on zeros."""
    if x.device.type != "cpu" or max(found.stride) == 1 or max(found.dilation) > 1 or found.groups > 1:
        return False
    return not any(k % s for k, s in zip(found.kernel, found.stride, strict=True))
