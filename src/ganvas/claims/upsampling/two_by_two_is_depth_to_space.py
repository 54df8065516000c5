"""A transposed convolution of kernel 2 and stride 2 is a 1 x 1 convolution to four times the channels, rearranged.

In general each of the s^2 phases of the output is an ordinary convolution of its own.
"""

from collections.abc import Iterator

import torch.nn.functional as F

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error
from ganvas.nn.transposed.subpixel import depth_to_space


def cases() -> Iterator[Case]:
    """Kernels as wide as the stride, for several numbers of channels."""
    for stride in (2, 3):
        for into, out in ((1, 1), (3, 2), (2, 5)):
            yield Case(name=f"{into} to {out} channels by {stride}", error=_error(into, out, stride))


def twin() -> Iterator[Case]:
    """Rows and columns of a block are exchanged."""
    yield Case(name="turned blocks", error=_error(3, 2, 2, exchanged=True))


def _error(into: int, out: int, stride: int, *, exchanged: bool = False) -> float:
    x, weight = normal(into, 1, into, 4, 5), normal(out, into, out, stride, stride)
    phases = (weight.swapaxes(2, 3) if exchanged else weight).flatten(1).T[..., None, None]
    rearranged = depth_to_space(F.conv2d(x, phases), (stride, stride))
    return relative_error(rearranged, F.conv_transpose2d(x, weight, stride=stride))


CLAIM = Identity(
    statement="A transposed convolution of kernel 2 and stride 2 is a 1 x 1 convolution, rearranged.",
    sources=(
        Source(
            who="Shi et al. 2016, Is the deconvolution layer the same as a convolutional layer?",
            stance="agrees",
            link="https://arxiv.org/abs/1609.07009",
        ),
    ),
    scope="kernels as wide as the stride, 2 and 3",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
