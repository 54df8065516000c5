"""The network of a diffusion model, as its settings say: a U-Net for pictures, fully connected for points."""

from typing import Protocol, runtime_checkable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import PerSample
from ganvas.networks.denoising_unet import DenoisingUNet
from ganvas.nn.layers.noise_embedding import NoiseEmbedding
from ganvas.nn.layers.plain_layers import Linear

WAVES = 32  # That embed the noise level of a point.


@runtime_checkable
class DenoiserSettings(Protocol):
    """What a ``Config`` says of the network."""

    @property
    def dims(self) -> int:
        """Numbers of a point; 0 for pictures."""
        ...

    @property
    def picture(self) -> WholeSize: ...

    @property
    def num_classes(self) -> int: ...

    @property
    def features(self) -> int:
        """Of pictures: maps at full size, before ``multipliers``."""
        ...

    @property
    def multipliers(self) -> tuple[int, ...]:
        """Of pictures: of the maps at full size, at half, at a quarter, ..."""
        ...

    @property
    def blocks(self) -> int:
        """Of pictures: residual blocks per size."""
        ...

    @property
    def attention(self) -> tuple[int, ...]:
        """Of pictures: the numbers of halvings after which blocks have attention."""
        ...

    @property
    def dropout(self) -> float: ...

    @property
    def hidden(self) -> int:
        """Of points: width of every hidden layer."""
        ...

    @property
    def depth(self) -> int:
        """Of points: hidden layers."""
        ...


def denoiser(settings: DenoiserSettings) -> nn.Module:
    """A network from samples, a number for each one's noise level, and labels, to samples."""
    if settings.dims:
        return PointDenoiser(settings.dims, hidden=settings.hidden, depth=settings.depth)
    return DenoisingUNet(
        settings.picture.channels,
        features=settings.features,
        multipliers=settings.multipliers,
        blocks=settings.blocks,
        attention=settings.attention,
        dropout=settings.dropout,
        num_classes=settings.num_classes,
    )


class PointDenoiser(nn.Module):
    """Hidden layers of one width with SiLU, to each of which the embedding of the noise level is added."""

    def __init__(self, dims: int, *, hidden: int, depth: int) -> None:
        super().__init__()
        self.embedding = NoiseEmbedding(WAVES, hidden)
        self.layers = nn.ModuleList(Linear(hidden if number else dims, hidden) for number in range(depth))
        self.levels = nn.ModuleList(Linear(hidden, hidden) for _ in range(depth))
        self.last = Linear(hidden, dims, std=0.0)

    def forward(
        self, points: Float[Tensor, "n d"], levels: PerSample, labels: Tensor | None = None
    ) -> Float[Tensor, "n d"]:
        """What the network says of noisy points."""
        embedding = self.embedding(levels, None, points.dtype)
        x = points
        for layer, level in zip(self.layers, self.levels, strict=True):
            x = F.silu(layer(x) + level(embedding))
        return self.last(x)
