"""Dilated convolution in two forms, and mathematical convolution beside cross-correlation.

A convolution of dilation d only ever combines places that are d apart: it is d^2 ordinary convolutions on the d^2
pictures of every d-th pixel. Space-to-batch runs them as one batch (TensorFlow's way; Yu, Koltun 2016 for the layer,
https://arxiv.org/abs/1511.07122). On a CPU there is nothing to win: torch's own is 1.1 to 2.7 times as quick.
"""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.nn.layers.operand_checks import need_floats
from ganvas.nn.transposed.transposed_geometry import PerAxis, convolve_any, fit, layout, per_axis


def dilated_conv(
    x: Float[Tensor, "n c *size"],
    weight: Float[Tensor, "c_out c_in_of_group *kernel"],
    bias: Float[Tensor, " c_out"] | None = None,
    *,
    dilation: PerAxis = 1,
    padding: PerAxis = 0,
    groups: int = 1,
    method: Literal["native", "space_to_batch"] = "native",
) -> Float[Tensor, "n c_out *smaller"]:
    """Convolution with holes; sides become ``n + 2 p - d (k - 1)``, of any parity, in one to three dimensions."""
    axes = weight.ndim - 2
    d = per_axis("dilation", dilation, axes, least=1)
    p = per_axis("padding", padding, axes, least=0)
    _check_channels(x, weight, groups=groups)
    shape = zip(x.shape[2:], p, d, weight.shape[2:], strict=True)
    out = [n + 2 * around - step * (k - 1) for n, around, step, k in shape]
    if min(out) < 1:
        raise UserError(
            f"A kernel of {tuple(weight.shape[2:])} with dilation {d} does not fit into {tuple(x.shape[2:])} with "
            f"padding {p}. Use a smaller dilation, or more padding."
        )
    if method == "native":
        return convolve_any(x, weight, bias, dilation=d, padding=p, groups=groups)
    if method != "space_to_batch":
        raise UserError(f"method='{method}' is not one of native, space_to_batch.")
    multiples = [-(-(n + 2 * around) // step) * step for n, around, step in zip(x.shape[2:], p, d, strict=True)]
    folded = space_to_batch(fit(x, p, multiples), d)
    y = batch_to_space(convolve_any(folded, weight, bias, groups=groups), d)
    return fit(y, [0] * axes, out).contiguous(memory_format=layout(x))


def space_to_batch(x: Float[Tensor, "n c *size"], block: tuple[int, ...]) -> Float[Tensor, "n_residues c *folded"]:
    """Every ``block``-th pixel of every starting point as a picture of its own: residue ``r`` of picture i is row
    ``r n + i``. Sides are multiples of the block."""
    axes = len(block)
    for axis, d in enumerate(block):
        x = x.unflatten(2 + 2 * axis, (-1, d))
    residues, places = [3 + 2 * axis for axis in range(axes)], [2 + 2 * axis for axis in range(axes)]
    return x.permute(*residues, 0, 1, *places).flatten(0, axes)


def batch_to_space(x: Float[Tensor, "n_residues c *folded"], block: tuple[int, ...]) -> Float[Tensor, "n c *size"]:
    """Undoes :func:`space_to_batch`."""
    axes = len(block)
    x = x.unflatten(0, (*block, -1))
    x = x.permute(axes, axes + 1, *(place for axis in range(axes) for place in (axes + 2 + axis, axis)))
    for axis in range(axes):
        x = x.flatten(2 + axis, 3 + axis)
    return x


Extent = Literal["full", "same", "valid"]


def convolve(
    x: Float[Tensor, "n c *size"], kernel: Float[Tensor, "c_out c_in_of_group *kernel"], mode: Extent = "full"
) -> Float[Tensor, "n c_out *size2"]:
    """Convolution as mathematics has it: ``y[o] = sum_i x[i] w[o - i]``, summed over input channels.

    What torch calls a convolution is a cross-correlation. This turns the kernel round, so that "full" is commutative
    and associative; "same" and "valid" are parts of it (numpy's and scipy's: the middle, and where both overlap
    wholly), which are neither.
    """
    return correlate(x, kernel.flip(list(range(2, kernel.ndim))), mode)


def correlate(
    x: Float[Tensor, "n c *size"], kernel: Float[Tensor, "c_out c_in_of_group *kernel"], mode: Extent = "valid"
) -> Float[Tensor, "n c_out *size2"]:
    """Cross-correlation: ``y[o] = sum_k x[o + k] w[k]``; "full" also where only a part of the kernel meets the input.

    "same" is the middle of "full" with the input's sides; of two middles the earlier one, as scipy has it.
    """
    if mode not in ("full", "same", "valid"):
        raise UserError(f"mode='{mode}' is not one of full, same, valid.")
    groups = max(x.shape[1] // kernel.shape[1], 1)
    _check_channels(x, kernel, groups=groups)
    k, n = kernel.shape[2:], x.shape[2:]
    if mode == "valid":
        left, out = [0] * len(k), [size - taps + 1 for size, taps in zip(n, k, strict=True)]
    elif mode == "full":
        left, out = [taps - 1 for taps in k], [size + taps - 1 for size, taps in zip(n, k, strict=True)]
    else:
        left, out = [taps // 2 for taps in k], list(n)
    if min(out) < 1:
        raise UserError(f"A kernel of {tuple(k)} does not fit into {tuple(n)} anywhere; mode='full' needs no fit.")
    whole = [size + taps - 1 for size, taps in zip(out, k, strict=True)]
    return convolve_any(fit(x, left, whole), kernel, groups=groups).contiguous(memory_format=layout(x))


def _check_channels(x: Tensor, weight: Tensor, *, groups: int) -> None:
    need_floats(x)
    if x.ndim != weight.ndim or weight.ndim not in (3, 4, 5):
        raise UserError(
            f"Input {tuple(x.shape)} and kernel {tuple(weight.shape)} must be (n, channels, ...) and "
            "(c_out, c_in, ...) of the same 1 to 3 spatial axes."
        )
    if x.shape[1] != weight.shape[1] * groups or weight.shape[0] % groups:
        raise UserError(f"The input has {x.shape[1]} channels and the kernel is for {weight.shape[1] * groups}.")
