"""Nearest-neighbour resize before a convolution, and the transposed convolution that equals the two.

A nearest-neighbour enlargement by s is a bed of nails (zeros between the pixels) convolved with a box of s ones. So
resize and convolution with ``v`` is the transposed convolution with the kernel

    W = box_s * v,    K = k_v + s - 1 taps,    stride s,

borders included. Not the other way round: of K numbers along an axis, ``K - s + 1`` can be chosen. A transposed
convolution in general is *not* a resize and a convolution; it can be said so when ``W`` is divisible by the box, which
:func:`resize_conv_inverse` finds out. What resize-convolution gives up is what makes a checkerboard (Odena, Dumoulin,
Olah 2016, https://distill.pub/2016/deconv-checkerboard): such a ``W`` treats all phases alike on a constant picture.

Kernels here are those of the transposed convolution: (c_in, c_out / groups, ...), not turned round.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.errors import UserError
from ganvas.nn.transposed.transposed_geometry import (
    Geometry,
    PerAxis,
    convolve_any,
    fit,
    insert_zeros,
    layout,
    per_axis,
    swapped,
)

ROUNDINGS = 64  # Rounding errors of the largest weight that a kernel may be away from the box's multiples.


def resize_conv_kernel(
    v: Float[Tensor, "c_in c_out_of_group *kernel"], stride: PerAxis
) -> Float[Tensor, "c_in c_out_of_group *wider"]:
    """``W = box_s * v``: the transposed convolution that equals nearest resize by ``stride`` and convolution with v.

    >>> resize_conv_kernel(torch.tensor([[[1.0, 2.0, 3.0]]]), 2).flatten().tolist()
    [1.0, 3.0, 5.0, 3.0]
    """
    for axis, s in enumerate(per_axis("stride", stride, v.ndim - 2, least=1), start=2):
        shape = list(v.shape)
        shape[axis] += s - 1
        v = sum(_shifted(v, axis, shift, shape) for shift in range(s))  # type: ignore[assignment]
    return v


def resize_conv_inverse(
    weight: Float[Tensor, "c_in c_out_of_group *kernel"], stride: PerAxis
) -> Float[Tensor, "c_in c_out_of_group *narrower"]:
    """The v with ``W = box_s * v``.

    Along an axis ``v[j] = W[j] - W[j - 1] + v[j - s]``: the box is ``(1 - z^s) / (1 - z)``.

    Raises:
        UserError: there is none; the message says by how much the nearest miss misses.
    """
    strides, v = per_axis("stride", stride, weight.ndim - 2, least=1), weight
    for axis, s in enumerate(strides, start=2):
        if v.shape[axis] < s:
            raise UserError(
                f"A kernel of {weight.shape[axis]} taps with stride {s} leaves holes, so it is no nearest resize "
                f"and convolution, whose kernel has at least as many taps as the stride. {INSTEAD}"
            )
        v = _divided(v, axis, s)
    with torch.no_grad():
        miss = (resize_conv_kernel(v, strides) - weight).abs().max().item()
        largest = weight.abs().max().item()
    if not miss <= ROUNDINGS * torch.finfo(weight.dtype).eps * largest:
        raise UserError(
            f"This kernel is no nearest resize by {_said(strides)} and convolution: it is not the sum of shifts "
            f"box * v of any smaller kernel v (off by {miss:.3g}; the largest weight is {largest:.3g}). {INSTEAD}"
        )
    return v


INSTEAD = "Resize and convolution is a strict subset of transposed convolution; method='subpixel' is exact for all."


def conv_transpose_resize(x: Tensor, weight: Tensor, bias: Tensor | None, found: Geometry) -> Tensor:
    """The transposed convolution as nearest resize and convolution; a UserError where its kernel has no such form.

    The kernel is divided by the box in the graph, so gradients reach what ``W = resize_conv_kernel(v)`` was made of.
    A W that is a parameter itself gets the gradient within those kernels only.
    """
    v = resize_conv_inverse(insert_zeros(weight, found.dilation), found.stride)
    out, kept = found.output_size(x.shape[2:]), layout(x)
    for axis, s in enumerate(found.stride, start=2):
        x = x.repeat_interleave(s, dim=axis) if s > 1 else x
    kernel = swapped(v, found.groups).flip(list(range(2, v.ndim)))
    left = [k - 1 - p for k, p in zip(v.shape[2:], found.padding, strict=True)]
    whole = [o + k - 1 for o, k in zip(out, v.shape[2:], strict=True)]
    y = convolve_any(fit(x, left, whole), kernel, bias, groups=found.groups)
    return y.contiguous(memory_format=kept)


def _shifted(v: Tensor, axis: int, shift: int, shape: Sequence[int]) -> Tensor:
    behind = shape[axis] - v.shape[axis] - shift
    return F.pad(v, [0, 0] * (v.ndim - axis - 1) + [shift, behind])


def _divided(weight: Tensor, axis: int, s: int) -> Tensor:
    """The first ``K - s + 1`` coefficients of the quotient by the box, whatever the remainder."""
    taps, quotient = weight.unbind(axis), []
    for j in range(len(taps) - s + 1):
        term = taps[j] - taps[j - 1] if j else taps[j]
        quotient.append(term + quotient[j - s] if j >= s else term)
    return torch.stack(quotient, axis)


def _said(strides: Sequence[int]) -> str:
    return str(strides[0]) if len(set(strides)) == 1 else "x".join(map(str, strides))
