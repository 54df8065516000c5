"""A transposed convolution of stride s is an ordinary convolution of a picture with s - 1 zeros between its pixels.

That is what "fractionally strided" means: the zeros halve the step for s = 2.
"""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error
from ganvas.nn.transposed.transposed_geometry import insert_zeros


def cases() -> Iterator[Case]:
    """Strides 1 to 4, kernels from 1 to 5, every padding that fits."""
    for stride in (1, 2, 3, 4):
        for taps in (1, 2, 3, 4, 5):
            for padding in range(taps):
                yield _case(stride, taps, padding)


def twin() -> Iterator[Case]:
    """The kernel is not turned round."""
    weight = normal(3, 2, 3, 3, 3)
    yield Case(name="not turned", error=_error(weight, weight.flip(2, 3), 2, 1))


def _case(stride: int, taps: int, padding: int) -> Case:
    weight = normal(taps, 2, 3, taps, taps)
    return Case(
        name=f"stride {stride}, {taps} x {taps}, padding {padding}", error=_error(weight, weight, stride, padding)
    )


def _error(weight: Tensor, other: Tensor, stride: int, padding: int) -> float:
    x = normal(0, 1, 2, 5, 6)
    spread = insert_zeros(x, (stride, stride))
    turned = other.flip(2, 3).swapaxes(0, 1)
    ordinary = F.conv2d(spread, turned, padding=weight.shape[2] - 1 - padding)
    return relative_error(F.conv_transpose2d(x, weight, stride=stride, padding=padding), ordinary)


CLAIM = Identity(
    statement="A transposed convolution is an ordinary one of a picture with zeros between its pixels.",
    sources=(
        Source(
            who="Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning, section 4",
            stance="agrees",
            link="https://arxiv.org/abs/1603.07285",
        ),
    ),
    scope="strides 1 to 4, kernels of 1 to 5, every padding below the kernel",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
