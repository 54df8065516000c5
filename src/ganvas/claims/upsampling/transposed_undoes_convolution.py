"""A transposed convolution undoes the convolution whose kernel it has.

It is the adjoint: ``<conv x, y> = <x, conv_transposed y>`` for all x and y. It undoes a convolution only where that one
is orthogonal, such as one that only moves pixels.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error


def cases() -> Iterator[Case]:
    """There and back again, by kernels that move pixels about and by random ones."""
    x = normal(1, 1, 4, 8, 8)
    yield Case(name="channels exchanged", error=_there_and_back(x, torch.eye(4, dtype=torch.float64)[[2, 0, 3, 1]]))
    yield Case(name="2 x 2 blocks to channels", error=_blocks(x))
    for taps, stride in ((1, 1), (3, 1), (4, 2)):
        weight = normal(taps, 4, 4, taps, taps) / (4 * taps)
        yield Case(name=f"random {taps} x {taps} of stride {stride}", error=_error(x, weight, stride), inside=False)


def twin() -> Iterator[Case]:
    """Moved pixels come back doubled."""
    x = normal(1, 1, 4, 8, 8)
    yield Case(name="doubled", error=_error(x, 2**0.5 * torch.eye(4, dtype=torch.float64)[..., None, None], 1))


def _there_and_back(x: Tensor, mixing: Tensor) -> float:
    return _error(x, mixing[..., None, None], 1)


def _blocks(x: Tensor) -> float:
    """Each of the four pixels of a block, of each channel, becomes a channel: kernel and stride of 2."""
    return _error(x, torch.eye(16, dtype=torch.float64).reshape(16, 4, 2, 2), 2)


def _error(x: Tensor, weight: Tensor, stride: int) -> float:
    padding = (weight.shape[2] - stride) // 2
    there = F.conv2d(x, weight, stride=stride, padding=padding)
    return relative_error(F.conv_transpose2d(there, weight, stride=stride, padding=padding), x)


CLAIM = Identity(
    statement="A transposed convolution undoes the convolution whose kernel it has.",
    sources=(
        Source(who='the name "deconvolution"', stance="agrees"),
        Source(
            who="Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning, section 4",
            stance="denies",
            link="https://arxiv.org/abs/1603.07285",
        ),
    ),
    scope="four channels of 8 x 8 pixels, kernels of 1 to 4",
    holds_when="the convolution only moves pixels about (is orthogonal)",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
