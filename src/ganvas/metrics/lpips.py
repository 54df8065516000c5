"""LPIPS: how far pictures are from their targets in the eyes of people, as a network has learned to say it.

Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric. https://arxiv.org/abs/1801.03924

Picture i of one set is compared with picture i of the other (reconstructions, translations, fillings-in): 0 for equal
ones; the mean over pairs. Version 0.1 with VGG-16 as trunk (:mod:`ganvas.features.lpips_vgg16`); papers that say only
"LPIPS" mostly mean AlexNet as trunk, whose values are others.

Standard error: the deviation over pairs by the square root of their number.

Departs from the authors' code: sides below 16 pixels are refused. Memory: every picture of both sides, in temporary
files from 1 GiB per side on.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from ganvas.core.results import Result
from ganvas.core.shapes import PerSample
from ganvas.metrics.maths.pairs import paired
from ganvas.metrics.maths.pairs.paired import Pictures

NAME = "lpips"
TITLE = "LPIPS"
BETTER = "lower"
SEES = "pixels"
NETWORK = "lpips_vgg16"
FIXED = True
PAIRED = True
MINIMUM = 2
COST = "VGG-16 at the pictures' own size, once per picture"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures and the network."""


TINY = Config()


class Accumulator(Pictures):
    """Every picture of one set."""

    Config = Config


@runtime_checkable
class Compares(Protocol):
    """A network that compares pairs of pictures."""

    @property
    def identity(self) -> str:
        """Network, weights and resize, as a part of a protocol string."""
        ...

    def distances(self, x: Tensor, y: Tensor, /) -> PerSample:
        """Of each pair of pictures uint8 (n, c, h, w)."""
        ...


def compare(real: Accumulator, fake: Accumulator, *, network: Compares, quiet: bool = True) -> list[Result]:
    """The mean distance of pairs ("lpips")."""
    found = paired.over_pairs(real, fake, network.distances, name=NAME, title=TITLE, quiet=quiet)
    said = f"{paired.protocol(fake, NAME)}:{network.identity}"
    return [paired.mean_result(found, fake, metric=NAME, protocol=said, better=BETTER)]
