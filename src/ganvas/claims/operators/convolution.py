"""Convolution as in mathematics, beside the cross-correlation that deep learning calls convolution.

``(x * w)[i] = sum_j x[i - j] w[j]`` turns the kernel round; ``corr(x, w)[i] = sum_j x[i + j] w[j]``, which torch's
``conv2d`` computes, does not. For a learned kernel it makes no difference. For a blur that was measured it does, and
only the former is commutative and associative.

Where the result keeps the picture's size, a kernel of even sides has no middle, and conventions part:

- :func:`convolve` and :func:`correlate` in mode "same" are the middle of "full" that begins at entry
  ``(kh - 1) // 2, (kw - 1) // 2`` of it, as scipy.signal's of the same names have it (and numpy's, in one dimension).
- :func:`blur` takes the kernel's origin to be its entry ``(kh // 2, kw // 2)``, as scipy.ndimage and scikit-image's
  Wiener filter have it; :func:`blur_adjoint` is its exact adjoint. ``ganvas.claims.operators.deconvolve`` undoes this
  one.

With odd sides there is no difference between :func:`convolve` and :func:`blur`.
"""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.shapes import Images
from ganvas.nn.layers.operand_checks import need_kernel, need_one_of, need_pictures

Kernel = Float[Tensor, "_ _"]  # Each of its own height and width.
Mode = Literal["full", "same", "valid"]
Boundary = Literal["zero", "circular"]
Sides = tuple[int, int]  # Before and after, along one axis.


def convolve(
    x: Images, kernel: Kernel, *, mode: Mode = "same", boundary: Boundary = "zero"
) -> Float[Tensor, "n c h2 w2"]:
    """``x * kernel`` of every channel.

    Args:
        mode: "full": wherever they overlap, ``h + kh - 1`` rows, and only this one is commutative; "same": the middle
            h rows of it, from row ``(kh - 1) // 2`` on; "valid": where the kernel lies within the picture,
            ``h - kh + 1`` rows.
        boundary: What lies around the picture: zeros, or the picture again.

    Raises:
        UserError: an unknown mode or boundary, a kernel that is no matrix or does not fit, an input that is not
            (n, channels, height, width) of floating-point numbers.
    """
    _check(x, kernel, mode, boundary)
    rows, columns = (_sides(k, mode, before=k // 2) for k in kernel.shape)
    return _slide(_pad(x, rows, columns, boundary), kernel.flip(0, 1))


def correlate(
    x: Images, kernel: Kernel, *, mode: Mode = "same", boundary: Boundary = "zero"
) -> Float[Tensor, "n c h2 w2"]:
    """The kernel is not turned round; otherwise as :func:`convolve`, whose adjoint it is in mode "same" if kh and kw
    are odd."""
    _check(x, kernel, mode, boundary)
    rows, columns = (_sides(k, mode, before=k // 2) for k in kernel.shape)
    return _slide(_pad(x, rows, columns, boundary), kernel)


def blur(x: Images, psf: Kernel, *, boundary: Boundary = "zero") -> Images:
    """``(x * psf)`` at the picture's own places, the origin of ``psf`` being its entry ``(kh // 2, kw // 2)``."""
    _check(x, psf, "same", boundary)
    rows, columns = (_sides(k, "same", before=k - 1 - k // 2) for k in psf.shape)
    return _slide(_pad(x, rows, columns, boundary), psf.flip(0, 1))


def blur_adjoint(x: Images, psf: Kernel, *, boundary: Boundary = "zero") -> Images:
    """``K^T x`` where ``K x = blur(x, psf)``: ``<K x, y> = <x, K^T y>``, with even sides too."""
    _check(x, psf, "same", boundary)
    rows, columns = (_sides(k, "same", before=k // 2) for k in psf.shape)
    return _slide(_pad(x, rows, columns, boundary), psf)


def _check(x: Tensor, kernel: Tensor, mode: Mode, boundary: Boundary) -> None:
    need_one_of("mode", mode, get_args(Mode))
    need_one_of("boundary", boundary, get_args(Boundary))
    need_pictures(x)
    need_kernel(kernel)


def _sides(kernel: int, mode: Mode, *, before: int) -> Sides:
    """How much is put around one axis, so that a sliding kernel gives the places of ``mode``."""
    return {"full": (kernel - 1, kernel - 1), "same": (before, kernel - 1 - before), "valid": (0, 0)}[mode]


def _pad(x: Tensor, rows: Sides, columns: Sides, boundary: Boundary) -> Tensor:
    if boundary == "zero":
        return F.pad(x, (*columns, *rows))
    height, width = x.shape[2:]
    if max(rows) > height or max(columns) > width:
        raise UserError(
            f"A picture of {height} x {width} (height x width) cannot be continued circularly by up to {max(rows)} x "
            f"{max(columns)} pixels. Use a smaller kernel."
        )
    return _circular(_circular(x, 2, rows), 3, columns)


def _circular(x: Tensor, dim: int, sides: Sides) -> Tensor:
    """Put together from pieces: torch's circular padding loses channels last."""
    before, after = sides
    n = x.shape[dim]
    pieces = [x.narrow(dim, n - before, before), x, x.narrow(dim, 0, after)]
    return torch.cat([piece for piece in pieces if piece.shape[dim]], dim)  # An empty piece would lose it as well.


def _slide(padded: Tensor, kernel: Tensor) -> Tensor:
    if padded.shape[2] < kernel.shape[0] or padded.shape[3] < kernel.shape[1]:
        raise UserError(
            f"A kernel of {kernel.shape[0]} x {kernel.shape[1]} (height x width) does not fit into a picture of "
            f"{padded.shape[2]} x {padded.shape[3]}. Use a smaller kernel or mode='full'."
        )
    channels = padded.shape[1]
    if not channels:
        return padded[..., kernel.shape[0] - 1 :, kernel.shape[1] - 1 :]
    return F.conv2d(padded, kernel.to(padded).expand(channels, 1, *kernel.shape), groups=channels)
