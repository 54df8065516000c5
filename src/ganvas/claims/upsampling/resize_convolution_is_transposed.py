"""Enlarging by nearest neighbours and then convolving is the same thing as a transposed convolution.

One direction is an identity: the kernel ``box * v`` of a transposed convolution does both at once. The other is not.
A 4 x 4 kernel of stride 2 has 16 numbers and ``box * v`` with v of 3 x 3 has 9, so that of a random kernel the share
7/16 of its energy lies outside in the mean.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error
from ganvas.nn.transposed.resize_convolution import resize_conv_kernel


def cases() -> Iterator[Case]:
    """Resizes as transposed convolutions, and transposed convolutions as resizes."""
    for stride in (2, 3, 4):
        for taps in (1, 3, 5):
            v, x = normal(stride * 10 + taps, 2, 3, taps, taps), normal(taps, 1, 2, 5, 5)
            yield Case(
                name=f"resize by {stride}, then {taps} x {taps}", error=_as_transposed(x, v, stride, _kernel(v, stride))
            )
    for seed in range(3):
        weight = normal(100 + seed, 1, 1, 4, 4)
        yield Case(name=f"random 4 x 4 kernel of stride 2, number {seed}", error=_outside(weight), inside=False)


def twin() -> Iterator[Case]:
    """The kernel is turned round."""
    v, x = normal(3, 2, 3, 3, 3), normal(4, 1, 2, 5, 5)
    yield Case(name="turned kernel", error=_as_transposed(x, v, 2, _kernel(v, 2).flip(2, 3)))


def _kernel(v: Tensor, stride: int) -> Tensor:
    return resize_conv_kernel(v, stride)


def _as_transposed(x: Tensor, v: Tensor, stride: int, kernel: Tensor) -> float:
    """``x`` enlarged and convolved with ``v`` (mathematics' convolution), against one transposed convolution."""
    enlarged = F.interpolate(x, scale_factor=stride, mode="nearest")
    taps = v.shape[2]
    whole = F.conv2d(enlarged, v.flip(2, 3).swapaxes(0, 1), padding=taps - 1)
    return relative_error(F.conv_transpose2d(x, kernel, stride=stride), whole)


def _outside(weight: Tensor) -> float:
    """The share of the kernel's norm that no resize and convolution reaches."""
    basis = torch.eye(9, dtype=torch.float64).reshape(9, 1, 3, 3)
    reached = torch.cat([_kernel(one[None], 2).reshape(1, 16) for one in basis]).T
    coordinates = torch.linalg.lstsq(reached, weight.reshape(16, 1)).solution
    return relative_error(reached @ coordinates, weight.reshape(16, 1))


CLAIM = Identity(
    statement="A resize and a convolution is the same thing as a transposed convolution.",
    sources=(
        Source(who="a common reading of upsampling layers", stance="agrees"),
        Source(
            who="Odena, Dumoulin & Olah 2016, Deconvolution and Checkerboard Artifacts",
            stance="denies",
            link="https://distill.pub/2016/deconv-checkerboard/",
        ),
    ),
    scope="nearest resize by 2 to 4, kernels of 1 to 5; 4 x 4 kernels of stride 2",
    holds_when="a resize and convolution is given and not the other",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
