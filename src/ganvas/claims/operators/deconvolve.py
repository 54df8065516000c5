"""Deconvolution in the old sense: the sharp picture from a blurred one and the known blur (point spread function).

What "deconvolution" layers do not do. Two classics, batched and differentiable by the picture and by the blur:

- :func:`wiener`: one division in frequency space, with a penalty on rough pictures (Hunt 1973; the regularised filter
  as in Orieux et al. 2010, https://doi.org/10.1364/JOSAA.27.001593);
- :func:`richardson_lucy`: the maximum of the likelihood under Poisson noise, approached by multiplying (Richardson
  1972, https://doi.org/10.1364/JOSA.62.000055; Lucy 1974, https://doi.org/10.1086/111605). It cannot become negative.

Constants and conventions are scikit-image's, with two departures, both where it errs: a custom regulariser that is
not symmetric keeps its imaginary part (it takes ``|real(D)|^2``), and the turned blur is the exact adjoint also where
its sides are even (there it is off by a pixel, and sums grow step by step without end). Both functions take the
blur's origin at ``(kh // 2, kw // 2)``: what they undo is :func:`ganvas.claims.operators.convolution.blur`.

Half precision is computed in float32 and rounded once.
"""

import math
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.operators.convolution import Boundary, Kernel, blur, blur_adjoint
from ganvas.core.errors import UserError
from ganvas.core.shapes import Images
from ganvas.nn.layers.operand_checks import need_kernel, need_one_of, need_pictures

TINY = 1e-12  # Added to what is divided by, as scikit-image does.


def wiener(
    blurred: Images, psf: Kernel, balance: float, *, regulariser: Kernel | None = None, clip: bool = False
) -> Images:
    """``X = conj(H) Y / (|H|^2 + balance |D|^2)``, the picture taken to continue circularly.

    Args:
        psf: The blur h, at most as large as the picture.
        balance: Weight of the penalty ``|D X|^2`` against the misfit ``|H X - Y|^2``; more is smoother.
        regulariser: d, the Laplacian unless given. The Laplacian has no weight at frequency 0, so the mean of
            the picture is kept; with ``[[1.]]`` (the classical filter) it shrinks by 1 / (1 + balance).
        clip: Cut the result to [-1, 1].

    Raises:
        UserError: a blur that is empty, all zeros, not finite or larger than the picture; a negative balance; a
            picture that is not (n, channels, height, width) of floating-point numbers.
    """
    y = _wide(blurred)
    size = _size(y)
    if not (balance >= 0 and math.isfinite(balance)):
        raise UserError(
            f"balance={balance} must be a number of at least 0; 0 divides by the blur alone and amplifies noise."
        )
    d = laplacian(y) if regulariser is None else _checked(regulariser, size, "regulariser").to(y)
    h = transfer_function(_checked(psf, size, "psf").to(y), size)
    if not y.numel():  # A Fourier transform of no picture fails.
        return blurred.clone()
    penalty = balance * _squared(transfer_function(d, size))
    restored = torch.fft.irfft2(h.conj() * torch.fft.rfft2(y) / (_squared(h) + penalty), s=size)
    return _finish(restored, blurred, clip)


def richardson_lucy(
    blurred: Images,
    psf: Kernel,
    *,
    steps: int = 50,
    boundary: Boundary = "zero",
    edges: bool = False,
    clip: bool = False,
    epsilon: float | None = None,
) -> Images:
    """``x <- x  K^T (y / K x) [/ K^T 1]``, ``steps`` times from x = 0.5, with K the convolution by ``psf``.

    With a blur of sum 1 every step leaves the sum of y ("flux"). With zeros around, a true picture without noise is
    not at rest: its borders darken, since light that left the picture is missed. ``edges`` divides by ``K^T 1``, which
    repairs that and gives up the flux; ``boundary="circular"`` has neither problem.

    Args:
        blurred: y, not negative; colours in [0, 1].
        epsilon: Where the blurred estimate is below, its quotient is taken to be 0.

    Raises:
        UserError: a blur that is empty, all zeros, negative somewhere, not finite or larger than the picture; an
            unknown boundary; a picture that is not (n, channels, height, width) of floating-point numbers.
    """
    need_one_of("boundary", boundary, get_args(Boundary))
    y = _wide(blurred)
    kernel = _checked(psf, _size(y), "psf").to(y)
    if type(steps) is not int or steps < 0:
        raise UserError(
            f"steps={steps} must be a whole number of at least 0; 10 to 50 is usual, more sharpens the noise."
        )
    if (kernel < 0).any():
        raise UserError("The psf is negative somewhere; light is not. Richardson-Lucy needs values of at least 0.")
    x = torch.full_like(y, 0.5)
    weight = blur_adjoint(torch.ones_like(x), kernel, boundary=boundary) if edges else None
    for _ in range(steps):
        estimate = blur(x, kernel, boundary=boundary) + TINY
        quotient = y / estimate
        if epsilon is not None:
            quotient = torch.where(estimate < epsilon, 0, quotient)
        x = x * blur_adjoint(quotient, kernel, boundary=boundary)
        x = x if weight is None else x / weight
    return _finish(x, blurred, clip)


def transfer_function(kernel: Kernel, size: tuple[int, int]) -> Tensor:
    """Fourier transform (h, w // 2 + 1) of a kernel on a picture of ``size``, its origin ``(kh // 2, kw // 2)``."""
    padded = torch.nn.functional.pad(kernel, (0, size[1] - kernel.shape[1], 0, size[0] - kernel.shape[0]))
    return torch.fft.rfft2(padded.roll((-(kernel.shape[0] // 2), -(kernel.shape[1] // 2)), (0, 1)))


def laplacian(like: Tensor) -> Kernel:
    """Four times the pixel minus its four neighbours."""
    return torch.tensor([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], dtype=like.dtype, device=like.device)


def _squared(z: Tensor) -> Float[Tensor, "h w2"]:
    """``|z|^2``, whose gradient at 0 is 0 and not nan."""
    return z.real.square() + z.imag.square()


def _wide(picture: Images) -> Images:
    """The picture in float32 at least: 1e-12 is 0 in float16, and bfloat16 has no Fourier transform."""
    need_pictures(picture, "picture")
    return picture.to(torch.promote_types(picture.dtype, torch.float32))


def _size(picture: Images) -> tuple[int, int]:
    return picture.shape[2], picture.shape[3]


def _checked(kernel: Kernel, size: tuple[int, int], name: str) -> Kernel:
    need_kernel(kernel, name)
    height, width = kernel.shape
    if height > size[0] or width > size[1]:
        raise UserError(
            f"A {name} of {height} x {width} does not fit a picture of {size[0]} x {size[1]} (height x width): it is "
            "at most as large."
        )
    if not kernel.isfinite().all():
        raise UserError(f"The {name} holds values that are not finite numbers.")
    if not kernel.any():
        raise UserError(f"The {name} is zero everywhere, so it says nothing of the picture.")
    return kernel


def _finish(restored: Images, blurred: Images, clip: bool) -> Images:
    """In the memory format of what was given, since a Fourier transform does not keep it."""
    if blurred.is_contiguous(memory_format=torch.channels_last) and not blurred.is_contiguous():
        restored = restored.contiguous(memory_format=torch.channels_last)
    return (restored.clamp(-1, 1) if clip else restored).to(blurred.dtype)
