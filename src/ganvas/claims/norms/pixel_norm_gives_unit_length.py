"""Pixel norm brings the features of every pixel to unit length.

Its formula divides by the root of the mean square over C channels, not of the sum: the length is the root of C.
"""

import math
from collections.abc import Iterator

from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal
from ganvas.nn.norms.pixel_norm import pixel_norm

CHANNELS = (1, 2, 16, 512)


def cases() -> Iterator[Case]:
    """Lengths for growing numbers of channels."""
    for channels in CHANNELS:
        yield Case(name=f"{channels} channels", error=_off(_normed(channels), 1.0))


def twin() -> Iterator[Case]:
    """The length that the formula gives, halved."""
    yield Case(name="half the root of C", error=_off(_normed(16) / 2, math.sqrt(16)))


def _normed(channels: int) -> Tensor:
    return pixel_norm(normal(channels, 4, channels, 3, 3))


def _off(x: Tensor, length: float) -> float:
    return float((x.square().sum(1).sqrt() - length).abs().max() / length)


CLAIM = Identity(
    statement="Pixel norm brings the features of every pixel to unit length.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 4.2 (in words)",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
        Source(who="the formula of the same section", stance="denies", link="https://arxiv.org/abs/1710.10196"),
    ),
    scope="1 to 512 channels",
    unit="difference from 1",
    cases=cases,
    twin=twin,
    smallest_effect=1e-6,
)
