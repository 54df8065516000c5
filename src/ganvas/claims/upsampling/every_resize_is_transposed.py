"""Every enlargement of a picture is a transposed convolution.

Of whole factors it is, with the picture's border repeated outwards first. Between whole factors the weights change from
pixel to pixel, and no kernel that is repeated at every place equals them: the enlargement of a shifted picture is not
the shifted enlargement.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error
from ganvas.claims.operators.resize_kernel import Mode, resize

MODES: tuple[Mode, ...] = ("nearest", "bilinear", "bicubic")


def cases() -> Iterator[Case]:
    """Whole factors against torch's resize, and others against what every transposed convolution does to a shift."""
    x = normal(1, 1, 2, 9, 7)
    for mode in MODES:
        for factor in (2, 3, 5):
            error = relative_error(resize(x, factor, mode), F.interpolate(x, scale_factor=factor, mode=mode))
            yield Case(name=f"{mode} by {factor}", error=error)
        for factor in (1.5, 2.5):
            yield Case(name=f"{mode} by {factor}", error=_shift_error(x, factor, mode), inside=False)


def twin() -> Iterator[Case]:
    """The kernel of another interpolation."""
    x = normal(1, 1, 2, 9, 7)
    yield Case(name="bilinear for bicubic", error=relative_error(resize(x, 2), F.interpolate(x, scale_factor=2)))


def _shift_error(x: Tensor, factor: float, mode: Mode) -> float:
    """How far two neighbouring input pixels are from having the same weights, some whole number of outputs apart.

    In a transposed convolution of stride s they are the same, s apart; here s is the one that fits best.
    """
    width = 12
    lone = torch.eye(width, dtype=x.dtype)[None, :, None, :].expand(1, width, width, width)
    weights = F.interpolate(lone, scale_factor=factor, mode=mode)[0, :, width // 2]  # Input pixel, output pixel.
    outputs = weights.shape[1]
    return min(relative_error(weights[5, s:], weights[4, : outputs - s]) for s in range(1, 5))


CLAIM = Identity(
    statement="Every enlargement of a picture is a transposed convolution.",
    sources=(Source(who="a common reading of upsampling layers", stance="agrees"),),
    scope="nearest, bilinear and bicubic, factors 1.5 to 5, pixel centres at half pixels",
    holds_when="the factor is whole",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
