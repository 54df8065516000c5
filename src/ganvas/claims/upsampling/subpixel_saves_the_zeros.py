"""Sub-pixel kernels are cheaper than zero insertion: by the square of the stride.

Of a picture with zeros between its pixels, an ordinary convolution multiplies every weight at every place of the
enlarged picture. Of its s^2 phases each meets pixels with its own share of the weights alone. Where the stride does not
divide the kernel, the shares are filled up with zeros to be of one size, and some of the gain is lost.
"""

from collections.abc import Iterator

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal
from ganvas.nn.transposed.subpixel import subpixel_kernel
from ganvas.nn.transposed.transposed_geometry import geometry


def cases() -> Iterator[Case]:
    """Multiplications for each pixel of the picture, by those of zero insertion, times the stride's square."""
    for stride in (2, 3, 4):
        for kernel in range(stride, 9):
            inside = kernel % stride == 0
            yield Case(name=f"{kernel} x {kernel} by {stride}", error=_error(kernel, stride), inside=inside)


def twin() -> Iterator[Case]:
    """The stride itself in place of its square."""
    yield Case(name="the stride alone", error=abs(_share(4, 2) * 2 - 1))


def _error(kernel: int, stride: int) -> float:
    return abs(_share(kernel, stride) * stride**2 - 1)


def _share(kernel: int, stride: int) -> float:
    """Of the multiplications of zero insertion, those that sub-pixel kernels need."""
    weight = normal(kernel, 2, 3, kernel, kernel)
    phases = subpixel_kernel(weight, geometry(weight, stride=stride))
    return phases.numel() / (weight.numel() * stride**2)  # A pixel has become stride x stride places.


CLAIM = Identity(
    statement="Sub-pixel kernels need as many multiplications as zero insertion by the square of the stride.",
    sources=(
        Source(
            who="Shi et al. 2016, Is the deconvolution layer the same as a convolutional layer?",
            stance="agrees",
            link="https://arxiv.org/abs/1609.07009",
        ),
    ),
    scope="kernels up to 8, strides 2 to 4, multiplications counted by the kernels that are made",
    holds_when="the stride divides the kernel",
    unit="relative error of the count",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
