"""Image enlargement by a whole factor as one transposed convolution per channel.

A resize whose outputs fall on the same few places between inputs again and again is shift-invariant, and so a
transposed convolution of stride s with the sampled interpolation kernel. With pixel centres at half pixels
(``align_corners=False``) that holds for every whole factor; its borders follow once the picture's edge pixels are
repeated outwards, as torch's index clamping does. With ``align_corners=True`` the outermost pixels of both pictures
coincide and the step is ``(n - 1) / (out - 1)``: it repeats only when ``out = (n - 1) s + 1``.

Kernels: the box, the triangle ``1 - |t|`` and the cubic of Keys 1981 (https://doi.org/10.1109/TASSP.1981.1163711), with
a = -0.75 as in torch. Each sums to s per axis: 1 for every phase.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.errors import UserError, did_you_mean
from ganvas.nn.layers.operand_checks import need_floats
from ganvas.nn.transposed.transposed_geometry import layout

Mode = Literal["nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic"]
AXES = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
KEYS = -0.75  # a of the cubic.


@dataclass(frozen=True, kw_only=True)
class ResizeKernel:
    """One axis of a resize: repeat the edge, then convolve transposed with ``stride`` and ``padding``."""

    taps: Float[Tensor, " k"]  # float64
    stride: int
    edge: int  # How many times each border value is repeated outwards first.
    padding: int  # Of the transposed convolution, the repeated edge included.


def resize_kernel(mode: Mode, scale: float, *, align_corners: bool = False) -> ResizeKernel:
    """The kernel of an enlargement by ``scale`` along one axis.

    >>> resize_kernel("bilinear", 2).taps.tolist()
    [0.25, 0.75, 0.75, 0.25]

    Raises:
        UserError: an unknown mode, a factor that is not whole, or corners to align where there are none.
    """
    if mode not in get_args(Mode):
        known = get_args(Mode)
        raise UserError(f"mode='{mode}' is not one of {', '.join(known)}.{did_you_mean(str(mode), known)}")
    if not float(scale).is_integer() or scale < 1:
        raise UserError(
            f"scale={scale} is not a whole factor of at least 1. Between whole factors every output has weights of "
            "its own, so that no transposed convolution equals the resize; use torch.nn.functional.interpolate."
        )
    s = int(scale)
    if mode in ("nearest", "nearest-exact"):
        if align_corners:
            raise UserError("align_corners says where pixels lie between others; nearest neighbour has no between.")
        return ResizeKernel(taps=torch.ones(s, dtype=torch.float64), stride=s, edge=0, padding=0)
    reach = 2 if mode == "bicubic" else 1  # Of the interpolation kernel, in input pixels.
    length = 2 * reach * s - (1 if align_corners else s % 2)
    places = (torch.arange(length, dtype=torch.float64) - (length - 1) / 2) / s
    taps = _cubic(places.abs()) if mode == "bicubic" else 1 - places.abs()
    if align_corners:  # Output 0 lies on input 0, so the centre of the kernel is cut to.
        return ResizeKernel(taps=taps, stride=s, edge=reach - 1, padding=(length - 1) // 2 + (reach - 1) * s)
    return ResizeKernel(taps=taps, stride=s, edge=reach, padding=(length - s) // 2 + reach * s)


def resize(
    x: Float[Tensor, "n c *size"],
    scale: float | tuple[float, ...],
    mode: Mode = "bilinear",
    *,
    align_corners: bool = False,
    size: tuple[int, ...] | None = None,
) -> Float[Tensor, "n c *enlarged"]:
    """``torch.nn.functional.interpolate`` by whole factors, to rounding, as one grouped transposed convolution.

    Sides become ``n s``, or ``(n - 1) s + 1`` with ``align_corners``.

    Args:
        scale: The whole factor, or one per axis.
        size: The sides that are wanted, where the caller knows them: others than those above are refused.

    Raises:
        UserError: what :func:`resize_kernel` refuses; a ``size`` for which the resize is not shift-invariant.
    """
    need_floats(x)
    axes = x.ndim - 2
    if axes not in (1, 2, 3) or AXES.get(mode, axes) != axes:
        raise UserError(
            f"mode='{mode}' does not resize {axes} axes: the input is (n, channels, ...) of {tuple(x.shape)}."
        )
    kernels = [resize_kernel(mode, s, align_corners=align_corners) for s in _factors(scale, axes)]
    sides = tuple(
        (n - 1) * k.stride + 1 if align_corners else n * k.stride for n, k in zip(x.shape[2:], kernels, strict=True)
    )
    if size is not None and tuple(size) != sides:
        raise UserError(
            f"From {tuple(x.shape[2:])} to {tuple(size)}: with align_corners={align_corners} only {sides} is one "
            "kernel repeated at every place. For other sizes the weights change from pixel to pixel; use "
            "torch.nn.functional.interpolate."
        )
    taps = torch.ones((), dtype=torch.float64)
    for kernel in kernels:
        taps = taps[..., None] * kernel.taps
    weight = taps.to(x).expand(x.shape[1], 1, *taps.shape)
    around = [pad for kernel in reversed(kernels) for pad in (kernel.edge, kernel.edge)]
    padded = F.pad(x, around, mode="replicate") if any(around) else x
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[axes - 1]
    stride, padding = [k.stride for k in kernels], [k.padding for k in kernels]
    y = function(padded, weight, stride=stride, padding=padding, groups=x.shape[1])
    return y.contiguous(memory_format=layout(x))


def _factors(scale: float | tuple[float, ...], axes: int) -> tuple[float, ...]:
    factors = scale if isinstance(scale, tuple) else (scale,) * axes
    if len(factors) != axes:
        raise UserError(f"scale={scale} must be one factor, or {axes} of them, one per axis.")
    return factors


def _cubic(t: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """Keys 1981: a piece for |t| < 1 and one for 1 <= |t| < 2, with the second derivative's jump set by a."""
    near = (KEYS + 2) * t**3 - (KEYS + 3) * t**2 + 1
    far = KEYS * (t**3 - 5 * t**2 + 8 * t - 4)
    return torch.where(t < 1, near, far)
