"""The plain generator and discriminator of a game: DCGAN's for pictures, fully connected ones for points.

A paper whose idea is a loss or a penalty takes these two; what it says of networks is in its own file.
"""

from typing import Protocol, runtime_checkable

from torch import nn

from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.networks.adversarial.dcgan_networks import DcganDiscriminator, DcganGenerator, Norm, dcgan_maps
from ganvas.networks.fully_connected import FullyConnected


@runtime_checkable
class PairSettings(Protocol):
    """What a ``Config`` says of the two networks."""

    @property
    def dims(self) -> int:
        """Numbers of a point; 0 for pictures."""
        ...

    @property
    def picture(self) -> DoubledSize: ...

    @property
    def latent_size(self) -> int: ...

    @property
    def features(self) -> int:
        """Of pictures: feature maps of the largest hidden resolution, doubled with every halving ..."""
        ...

    @property
    def features_max(self) -> int:
        """... up to this."""
        ...

    @property
    def width(self) -> int:
        """Of points: of every hidden layer."""
        ...

    @property
    def depth(self) -> int:
        """Of points: hidden layers of each network."""
        ...


def plain_generator(settings: PairSettings) -> nn.Module:
    """From latents (n, z) to pictures in [-1, 1], or to points."""
    if settings.dims:
        return FullyConnected(settings.latent_size, settings.dims, width=settings.width, depth=settings.depth)
    return DcganGenerator(settings.picture, _maps(settings), latent_size=settings.latent_size)


def plain_discriminator(settings: PairSettings, *, norm: Norm = "batch", score_bias: bool = True) -> nn.Module:
    """From pictures to scores (n,), or from points to scores (n, 1).

    Args:
        norm: Of pictures, between hidden layers; points are never normalised.
        score_bias: Of points, whether scores have a bias, which nothing moves where a loss sees differences alone.
            Those of pictures have none.
    """
    if settings.dims:
        return FullyConnected(settings.dims, 1, width=settings.width, depth=settings.depth, last_bias=score_bias)
    return DcganDiscriminator(settings.picture, _maps(settings), norm=norm)


def _maps(settings: PairSettings) -> list[int]:
    return dcgan_maps(settings.picture, features=settings.features, features_max=settings.features_max)
