"""The checkerboard that transposed convolutions leave, its cause, and starting weights without one.

Output ``o`` of a transposed convolution is a sum over the taps of one phase. Where stride does not divide kernel, some
phases have a tap more than others, and a constant picture comes out as a pattern of period s even from equal weights
(Odena, Dumoulin, Olah 2016, https://distill.pub/2016/deconv-checkerboard). Where it does, the phases have as many taps
each, and a pattern only comes from their weights being different; ICNR starts them equal (Aitken et al. 2017,
Checkerboard artifact free sub-pixel convolution, https://arxiv.org/abs/1707.02937).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import normal_
from ganvas.nn.transposed.transposed_geometry import PerAxis, per_axis


def overlap_count(kernel: int, stride: int, *, dilation: int = 1) -> tuple[int, ...]:
    """How many taps each phase has along an axis: how often an inner output is painted on.

    >>> overlap_count(4, 2), overlap_count(3, 2), overlap_count(4, 3)
    ((2, 2), (2, 1), (2, 1, 1))
    """
    counts = [0] * stride
    for tap in range(kernel):
        counts[tap * dilation % stride] += 1
    return tuple(counts)


def leaves_checkerboard(kernel: int, stride: int, *, dilation: int = 1) -> bool:
    """Whether equal weights make a pattern of a constant: without dilation, iff the stride does not divide the kernel.

    >>> leaves_checkerboard(3, 2), leaves_checkerboard(4, 2)
    (True, False)
    """
    return len(set(overlap_count(kernel, stride, dilation=dilation))) > 1


@torch.no_grad()
def icnr_(
    weight: Float[Tensor, "c_phases c_in_of_group *kernel"],
    generator: torch.Generator,
    *,
    scale: PerAxis,
    std: float | None = None,
) -> None:
    """Starts the weight of a convolution before depth-to-space: all ``scale^2`` phases of a channel share one draw.

    The two then are that smaller convolution followed by a nearest-neighbour enlargement (Aitken et al. 2017, sec. 4).
    ``std`` of None is He's constant, ``sqrt(2 / fan_in)``.
    """
    phases = math.prod(per_axis("scale", scale, weight.ndim - 2, least=1))
    if weight.shape[0] % phases:
        raise UserError(
            f"{weight.shape[0]} output channels are not a multiple of the {phases} phases of scale={scale}."
        )
    shared = torch.empty(weight.shape[0] // phases, *weight.shape[1:])
    normal_(shared, generator, std=math.sqrt(2 / weight[0].numel()) if std is None else std)
    weight.copy_(shared.repeat_interleave(phases, dim=0))


@torch.no_grad()
def icnr_transposed_(
    weight: Float[Tensor, "c_in c_out_of_group *kernel"],
    generator: torch.Generator,
    *,
    stride: PerAxis,
    groups: int = 1,
    std: float | None = None,
) -> None:
    """The same start for a transposed convolution: each weight is drawn once and stands for ``stride`` taps in a row.

    ``std`` of None is He's constant for the ``kernel / stride`` inputs per axis that one output is a sum of.

    Raises:
        UserError: the stride does not divide the kernel: there is no such start, and the layer leaves a checkerboard.
    """
    strides = per_axis("stride", stride, weight.ndim - 2, least=1)
    kernel = tuple(weight.shape[2:])
    if any(k % s for k, s in zip(kernel, strides, strict=True)):
        raise UserError(
            f"A kernel of {kernel} is not a multiple of stride {strides}, so its phases differ in taps and cannot "
            "start equal. Use a kernel of a multiple of the stride, such as 4 with 2."
        )
    taps = [k // s for k, s in zip(kernel, strides, strict=True)]
    fan_in = weight.shape[0] // groups * math.prod(taps)
    shared = torch.empty(*weight.shape[:2], *taps)
    normal_(shared, generator, std=math.sqrt(2 / fan_in) if std is None else std)
    for axis, s in enumerate(strides, start=2):
        shared = shared.repeat_interleave(s, dim=axis)
    weight.copy_(shared)
