"""The linear map between the colours of two sets of pictures: the floor of models that translate without pairs.

Of all maps that bring the mean and the covariance of one set's colours to those of the other it moves them least:
``S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2``, the optimal transport between Gaussians (Olkin and Pukelsheim 1982, The distance
between two random vectors with given dispersion matrices, https://doi.org/10.1016/0024-3795(82)90112-4). It sees
neither shapes nor places, and which picture belongs to which is not asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Images

FLAT = 1e-12  # Of the largest variance: along a direction that has less, a set has no colours to be spread.


class ColourMoments:
    """Sums over the colours of all pixels of a set, in [-1, 1], which add."""

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.sum: Float[Tensor, " c"] = torch.zeros(channels, dtype=torch.float64)
        self.products: Float[Tensor, "c c"] = torch.zeros(channels, channels, dtype=torch.float64)

    def add(self, images: Images) -> None:
        """The next pictures of the set."""
        colours = images.double().transpose(0, 1).flatten(1)
        self.count += colours.shape[1]
        self.sum += colours.sum(1)
        self.products += colours @ colours.T

    @property
    def mean(self) -> Float[Tensor, " c"]:
        """Of the colours."""
        return self.sum / self.count

    @property
    def covariance(self) -> Float[Tensor, "c c"]:
        """Of the colours; the population's."""
        return self.products / self.count - torch.outer(self.mean, self.mean)


def colour_moments(batches: Iterable[Images], channels: int) -> ColourMoments:
    """Of a set of pictures, a batch at a time."""
    found = ColourMoments(channels)
    for images in batches:
        found.add(images)
    return found


@dataclass(frozen=True)
class ColourTransport:
    """The map from one set's colours to another's."""

    source: ColourMoments
    target: ColourMoments

    def __call__(self, images: Images) -> Images:
        """Pictures in [-1, 1] in the colours of the other set."""
        shifted = images.double() - self.source.mean.view(1, -1, 1, 1)
        moved = torch.einsum("dc,nchw->ndhw", self._moving, shifted)
        return (moved + self.target.mean.view(1, -1, 1, 1)).clamp(-1, 1).float()

    @cached_property
    def _moving(self) -> Float[Tensor, "c c"]:
        """Of the map; found once, as a set is mapped a batch at a time."""
        return _transport(self.source.covariance, self.target.covariance)


def _transport(source: Float[Tensor, "c c"], target: Float[Tensor, "c c"]) -> Float[Tensor, "c c"]:
    root, back = _power(source, 0.5), _power(source, -0.5)
    return back @ _power(root @ target @ root, 0.5) @ back


def _power(matrix: Float[Tensor, "c c"], exponent: float) -> Float[Tensor, "c c"]:
    values, vectors = torch.linalg.eigh(matrix)
    flat = values <= FLAT * values.max().clamp_min(FLAT)
    powers = torch.where(flat, 0.0, values.clamp_min(FLAT * FLAT) ** exponent)
    return vectors @ torch.diag(powers) @ vectors.mT
