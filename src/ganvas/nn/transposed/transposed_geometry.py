"""Sizes and settings of a transposed convolution, in one to three dimensions, and the cutting and filling they need.

A transposed convolution scatters: input ``i`` adds ``x[i] w[k]`` to output ``o = i s + k d - p``, for every tap ``k``.
With dilation ``d`` the taps cover ``d (k - 1) + 1`` places, so that along each axis

    out = (n - 1) s - 2 p + d (k - 1) + output_padding + 1

(Dumoulin, Visin 2016, A guide to convolution arithmetic, relationship 14, https://arxiv.org/abs/1603.07285).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.errors import UserError
from ganvas.nn.layers.operand_checks import need_floats

PerAxis = int | Sequence[int]  # One number for every axis, or a number per axis.


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Settings of one transposed convolution: a number per axis, and the groups."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1

    @property
    def extent(self) -> tuple[int, ...]:
        """Places that the kernel covers, holes included: ``d (k - 1) + 1``."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Sides of the output for an input of these sides."""
        axes = zip(size, self.stride, self.padding, self.extent, self.output_padding, strict=True)
        return tuple((n - 1) * s - 2 * p + e + op for n, s, p, e, op in axes)

    def with_stride(self, stride: tuple[int, ...]) -> "Geometry":
        """The same with other strides; for an axis of one input, whose stride says nothing."""
        return replace(self, stride=stride)


def geometry(
    weight: Float[Tensor, "c_in c_out_of_group *kernel"],
    *,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Geometry:
    """Settings as a person gives them, checked and spread over the axes of the weight.

    Raises:
        UserError: a setting that no transposed convolution has.
    """
    axes = weight.ndim - 2
    if axes not in (1, 2, 3):
        raise UserError(
            f"A weight of shape {_shown(weight.shape)} has {axes} axes after its two of channels. Transposed "
            "convolutions here have 1, 2 or 3: (c_in, c_out / groups, kernel...)."
        )
    found = Geometry(
        kernel=tuple(weight.shape[2:]),
        stride=per_axis("stride", stride, axes, least=1),
        padding=per_axis("padding", padding, axes, least=0),
        output_padding=per_axis("output_padding", output_padding, axes, least=0),
        dilation=per_axis("dilation", dilation, axes, least=1),
        groups=groups,
    )
    if groups < 1 or weight.shape[0] % groups:
        raise UserError(f"groups={groups} does not divide the {weight.shape[0]} input channels of the weight.")
    for extra, s, d in zip(found.output_padding, found.stride, found.dilation, strict=True):
        if extra >= max(s, d):
            raise UserError(
                f"output_padding={extra} must be below the stride ({s}) or the dilation ({d}): it only chooses among "
                "the sizes that a convolution takes to the same one."
            )
    return found


def check_input(x: Tensor, weight: Tensor, bias: Tensor | None, found: Geometry) -> None:
    """Raises a UserError where input, weight and bias do not fit each other, or nothing would be left."""
    need_floats(x)
    if x.ndim != weight.ndim:
        raise UserError(
            f"The input has shape {_shown(x.shape)} and the weight {_shown(weight.shape)}. The input is (batch, "
            f"channels) and {weight.ndim - 2} spatial axes, as many as the weight has; a single picture is x[None]."
        )
    if x.shape[1] != weight.shape[0]:
        raise UserError(f"The input has {x.shape[1]} channels and the weight is for {weight.shape[0]}.")
    c_out = weight.shape[1] * found.groups
    if bias is not None and bias.shape != (c_out,):
        raise UserError(f"The bias has shape {_shown(bias.shape)}; there are {c_out} output channels.")
    size = found.output_size(x.shape[2:])
    if min(size) < 1:
        raise UserError(
            f"An input of {_shown(x.shape[2:])} would become {_shown(size)}: padding={found.padding} cuts away "
            "everything. Use less padding, or a larger input."
        )


def per_axis(name: str, given: PerAxis, axes: int, *, least: int) -> tuple[int, ...]:
    """A number per axis."""
    values = (given,) * axes if isinstance(given, int) else tuple(int(value) for value in given)
    if len(values) == 1:
        values *= axes
    if len(values) != axes or min(values) < least:
        raise UserError(f"{name}={given} must be one number of at least {least}, or {axes} of them, one per axis.")
    return values


def insert_zeros(x: Tensor, gaps: Sequence[int]) -> Tensor:
    """``gaps`` - 1 zeros between neighbours along each spatial axis: n values become ``(n - 1) gap + 1``.

    >>> insert_zeros(torch.ones(1, 1, 3), [2]).flatten().tolist()
    [1.0, 0.0, 1.0, 0.0, 1.0]
    """
    for axis, gap in enumerate(gaps, start=2):
        if gap > 1 and x.shape[axis] > 1:
            beside = F.pad(x.unsqueeze(axis + 1), [0, 0] * (x.ndim - axis - 1) + [0, gap - 1])
            x = beside.flatten(axis, axis + 1).narrow(axis, 0, (x.shape[axis] - 1) * gap + 1)
    return x


def fit(x: Tensor, left: Sequence[int], size: Sequence[int]) -> Tensor:
    """Zeros before each spatial axis (negative: a cut), then cut or filled behind to ``size``."""
    pads: list[int] = []
    for axis, (before, target) in enumerate(zip(left, size, strict=True), start=2):
        start = max(-before, 0)
        kept = max(min(x.shape[axis], target - before) - start, 0)
        x = x.narrow(axis, min(start, x.shape[axis]), kept)
        front = min(max(before, 0), target)
        pads = [front, target - front - kept, *pads]
    return F.pad(x, pads) if any(pads) else x


def layout(x: Tensor) -> torch.memory_format:
    """Channels last where ``x`` is laid out so and not in the plain order too."""
    if not x.is_contiguous():
        for ndim, last in ((4, torch.channels_last), (5, torch.channels_last_3d)):
            if x.ndim == ndim and x.is_contiguous(memory_format=last):
                return last
    return torch.contiguous_format


def convolve_any(x: Tensor, weight: Tensor, bias: Tensor | None = None, **settings: object) -> Tensor:
    """torch's ``conv1d``, ``conv2d`` or ``conv3d``, by the number of axes."""
    return (F.conv1d, F.conv2d, F.conv3d)[weight.ndim - 3](x, weight, bias, **settings)  # type: ignore[arg-type]


def swapped(weight: Tensor, groups: int) -> Tensor:
    """From (c_in, c_out / groups, ...), as transposed convolutions have it, to (c_out, c_in / groups, ...)."""
    split = weight.unflatten(0, (groups, -1)).transpose(1, 2)
    return split.flatten(0, 1)


def _shown(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
