"""A convolutional layer convolves its input with its kernel.

It is a cross-correlation: the kernel is not turned round. They are one where the kernel is its own half turn. For a
learned kernel it makes no difference, as the learned one comes out turned.
"""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error
from ganvas.claims.operators.convolution import convolve


def cases() -> Iterator[Case]:
    """Symmetric kernels and others."""
    for taps in (1, 3, 5):
        kernel = normal(taps, taps, taps)
        yield Case(name=f"{taps} x {taps} that is its own half turn", error=_error((kernel + kernel.flip(0, 1)) / 2))
        yield Case(name=f"random {taps} x {taps}", error=_error(kernel), inside=taps == 1)


def twin() -> Iterator[Case]:
    """A kernel that is the negative of its own half turn."""
    kernel = normal(3, 3, 3)
    yield Case(name="antisymmetric", error=_error((kernel - kernel.flip(0, 1)) / 2))


def _error(kernel: Tensor) -> float:
    x = normal(0, 2, 1, 9, 8)
    return relative_error(F.conv2d(x, kernel[None, None], padding=kernel.shape[0] // 2), convolve(x, kernel))


CLAIM = Identity(
    statement="A convolutional layer convolves its input with its kernel.",
    sources=(
        Source(who="the name of the layer", stance="agrees"),
        Source(
            who="Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.1",
            stance="denies",
            link="https://www.deeplearningbook.org/contents/convnets.html",
        ),
    ),
    scope="one channel, odd kernels of 1 to 5, the picture's own size",
    holds_when="the kernel is its own half turn",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
