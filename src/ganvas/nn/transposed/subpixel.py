"""Transposed convolution as an ordinary one and a rearrangement of its channels: sub-pixel convolution.

Along one axis, output ``o`` of a transposed convolution of stride s only meets the taps of one *phase*,
``r = (o + p) mod s``: every s-th tap from the r-th on. The s kernels of the s phases (s^2 on a picture) are so many
output channels of an ordinary convolution at the input's resolution; depth-to-space then puts each phase in its place
(Shi et al. 2016, Real-Time Single Image and Video Super-Resolution, https://arxiv.org/abs/1609.05158; that the two are
the same layer: their note https://arxiv.org/abs/1609.07009).

The kernel is filled with zeros behind to ``T = ceil(k / s)`` taps per phase; the convolution covers the rows of phases
that the output needs and no more, and what sticks out on either side by less than one stride is cut off. That costs
the multiplications of the native layer, up to the rows at the border and the zeros: (T s / k)^2, 16/9 for k3 s2. The
other published layout, which aligns the phases with the output by zeros in front of the kernel, needs a tap more
(k4 s2 p1: 9/4 of the multiplications) and no cut.

A dilated kernel is taken with the zeros of its holes, which is exact and does more multiplications than need be.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.nn.transposed.transposed_geometry import Geometry, convolve_any, fit, insert_zeros, layout, swapped

FEW = 16  # Output channels up to which writing phase by phase beats a shuffle of everything, measured.


def subpixel_kernel(
    weight: Float[Tensor, "c_in c_out_of_group *kernel"], found: Geometry
) -> Float[Tensor, "c_out_phases c_in_of_group *taps"]:
    """Kernels of all phases of a transposed convolution, for an ordinary convolution.

    Phase ``(r_h, r_w)`` of output channel c is channel ``c s_h s_w + r_h s_w + r_w``, the order of depth-to-space.
    Tap j of phase r is ``w[s j + r]``, turned round because an ordinary convolution correlates.
    """
    axes = len(found.kernel)
    kernel = insert_zeros(weight, found.dilation)
    taps = [-(-e // s) for e, s in zip(found.extent, found.stride, strict=True)]
    kernel = fit(kernel, [0] * axes, [t * s for t, s in zip(taps, found.stride, strict=True)])
    for axis in range(axes):  # (c_in, c_out, T_h s_h, T_w s_w) -> (c_in, c_out, T_h, s_h, T_w, s_w)
        kernel = kernel.unflatten(2 + 2 * axis, (taps[axis], found.stride[axis]))
    kernel = swapped(kernel, found.groups)
    at_taps, at_phases = [2 + 2 * axis for axis in range(axes)], [3 + 2 * axis for axis in range(axes)]
    kernel = kernel.permute(0, *at_phases, 1, *at_taps).flip([axes + 2 + axis for axis in range(axes)])
    return kernel.flatten(0, axes)


def subpixel_bias(bias: Float[Tensor, " c_out"] | None, found: Geometry) -> Tensor | None:
    """Every phase of a channel has its bias."""
    return None if bias is None else bias.repeat_interleave(math.prod(found.stride))


def conv_transpose_by_kernel(x: Tensor, kernel: Tensor, bias: Tensor | None, found: Geometry) -> Tensor:
    """The transposed convolution whose :func:`subpixel_kernel` and :func:`subpixel_bias` these are."""
    size, taps = tuple(x.shape[2:]), tuple(kernel.shape[2:])
    known = all(type(n) is int for n in size)  # In a graph of any batch or size they are symbols.
    cut = (_cut if known else _cut.__wrapped__)(found, size, taps)
    if cut.even:
        phases = convolve_any(x, kernel, bias, padding=cut.left, groups=found.groups)
    else:
        phases = convolve_any(fit(x, cut.left, cut.whole), kernel, bias, groups=found.groups)
    gradients = phases.requires_grad and torch.is_grad_enabled()
    if gradients or not known or torch.compiler.is_compiling() or not _is_few(phases, cut):
        return _shuffled(phases, found.stride, cut, like=x)
    return _written(phases, found.stride, cut, like=x)


def conv_transpose_subpixel(x: Tensor, weight: Tensor, bias: Tensor | None, found: Geometry) -> Tensor:
    """The transposed convolution with its kernel derived in the graph, so that gradients reach the weight."""
    found = simplified(found, x.shape[2:])
    return conv_transpose_by_kernel(x, subpixel_kernel(weight, found), subpixel_bias(bias, found), found)


def simplified(found: Geometry, size: Sequence[int]) -> Geometry:
    """An axis with one input has no stride to speak of: the whole kernel as one row of phases saves its zeros.

    The first layer of a generator, from a latent as a picture of one pixel, so becomes the dense layer that it is.
    """
    if 1 not in size:
        return found
    axes = zip(size, found.stride, found.extent, strict=True)
    return found.with_stride(tuple(e if n == 1 else s for n, s, e in axes))


def depth_to_space(x: Float[Tensor, "n c_phases *size"], stride: Sequence[int]) -> Float[Tensor, "n c *enlarged"]:
    """Channel ``c s_h s_w + r_h s_w + r_w`` at (h, w) goes to channel c at (h s_h + r_h, w s_w + r_w); 1 to 3 axes."""
    axes = len(stride)
    if axes == 2 and stride[0] == stride[1]:
        return F.pixel_shuffle(x, stride[0])
    split = x.unflatten(1, (-1, *stride))
    order = [place for axis in range(axes) for place in (2 + axes + axis, 2 + axis)]
    split = split.permute(0, 1, *order)
    for axis in range(axes):
        split = split.flatten(2 + axis, 3 + axis)
    return split


@dataclass(frozen=True)
class _Cut:
    """What of the input and of the rearranged phases is used, for inputs of one size; a number per axis."""

    left: tuple[int, ...]  # Zeros before the input; negative: a cut.
    whole: tuple[int, ...]  # Sides of the input with its zeros.
    even: bool  # Whether the zeros are as many behind, so that the convolution can have them as its padding.
    start: tuple[int, ...]  # What is cut off in front once the phases are in their places ...
    size: tuple[int, ...]  # ... and the sides of what is kept.
    copies: tuple[tuple[tuple[int | slice, ...], tuple[slice, ...]], ...]  # From where to where, phase by phase.


@lru_cache(maxsize=1024)
def _cut(found: Geometry, size: tuple[int, ...], taps: tuple[int, ...]) -> _Cut:
    out, stride = found.output_size(size), found.stride
    first = [p // s for p, s in zip(found.padding, stride, strict=True)]  # The first row of phases that is needed.
    rows = [(p + o - 1) // s - f + 1 for p, o, s, f in zip(found.padding, out, stride, first, strict=True)]
    left = tuple(t - 1 - f for t, f in zip(taps, first, strict=True))
    whole = tuple(r + t - 1 for r, t in zip(rows, taps, strict=True))
    even = min(left) >= 0 and all(w == n + 2 * a for w, n, a in zip(whole, size, left, strict=True))
    start = tuple(p - f * s for p, f, s in zip(found.padding, first, stride, strict=True))
    copies = []
    for phase in product(*(range(s) for s in stride)):
        source, target = [slice(None), slice(None), *phase], [slice(None), slice(None)]
        for r, s, before, length in zip(phase, stride, start, out, strict=True):
            place = (r - before) % s  # Of the first output of this phase.
            row, count = (place + before) // s, max(-(-(length - place) // s), 0)
            source.append(slice(row, row + count))
            target.append(slice(place, None, s))
        copies.append((tuple(source), tuple(target)))
    return _Cut(left, whole, even, start, out, tuple(copies))


def _is_few(phases: Tensor, cut: _Cut) -> bool:
    return len(cut.copies) > 1 and phases.shape[1] // len(cut.copies) <= FEW


def _shuffled(phases: Tensor, stride: Sequence[int], cut: _Cut, *, like: Tensor) -> Tensor:
    """Depth-to-space, then what is kept of it."""
    whole = depth_to_space(phases, stride)
    for axis, (before, length) in enumerate(zip(cut.start, cut.size, strict=True), start=2):
        whole = whole.narrow(axis, before, length)
    return whole.contiguous(memory_format=layout(like))


def _written(phases: Tensor, stride: Sequence[int], cut: _Cut, *, like: Tensor) -> Tensor:
    """The same with each phase written to its places: one pass over memory where no gradient is asked for."""
    channels = phases.shape[1] // len(cut.copies)
    shape = (len(phases), channels, *cut.size)
    out = torch.empty(shape, dtype=phases.dtype, device=phases.device, memory_format=layout(like))
    split = phases.unflatten(1, (channels, *stride))
    for source, target in cut.copies:
        out[target].copy_(split[source])
    return out
