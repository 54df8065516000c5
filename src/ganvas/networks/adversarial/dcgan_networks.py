"""The generator and the discriminator of DCGAN: strided convolutions in place of pooling, no hidden dense layers.

Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks
(ICLR 2016), https://arxiv.org/abs/1511.06434. Kernels are 4x4, as in the form in which the networks are mostly used.
The Wasserstein GAN and its followers take the same pair with other norms.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.shapes import Images, Latents, PerSample
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.layer_norm import LayerNorm2d

STD = 0.02  # Of every starting weight (section 4).
SLOPE = 0.2  # Of the discriminator's leaky ReLU.
DOUBLING = {"kernel_size": 4, "stride": 2, "padding": 1, "std": STD}  # Of a side, or its halving.

Norm = Literal["batch", "layer", "none"]


def dcgan_maps(picture: DoubledSize, *, features: int, features_max: int) -> list[int]:
    """Feature maps from the first resolution up; the last are the picture's channels.

    Args:
        picture: The size of the pictures.
        features: Of the largest hidden resolution; doubled with every halving of the size ...
        features_max: ... up to this.
    """
    halvings = range(picture.levels - 1, -1, -1)
    return [*(min(features << count, features_max) for count in halvings), picture.channels]


class DcganGenerator(nn.Module):
    """From a latent to a picture: a dense layer to the first resolution, then transposed convolutions that double."""

    def __init__(self, picture: DoubledSize, maps: Sequence[int], *, latent_size: int) -> None:
        super().__init__()
        # On a picture of one pixel a transposed convolution is a dense layer.
        self.convolutions = nn.ModuleList(
            [ConvTranspose2d(latent_size, maps[0], picture.base, bias=False, std=STD)]
            + [ConvTranspose2d(before, after, bias=False, **DOUBLING) for before, after in pairwise(maps)]
        )
        self.norms = nn.ModuleList(BatchNorm2d(channels) for channels in maps[:-1])

    def forward(self, z: Latents) -> Images:
        x = z[:, :, None, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=False):
            x = F.relu(norm(convolution(x)))
        return self.convolutions[-1](x).tanh()


class DcganDiscriminator(nn.Module):
    """From a picture to the logit of its being real: convolutions that halve, then a dense layer.

    Args:
        maps: As :func:`dcgan_maps` gives them, the picture's channels last.
        norm: Between hidden layers. A penalty on the gradient of each sample needs one that mixes no samples.
        score: What makes a score of the last hidden layer's maps; by default a dense layer.
    """

    def __init__(
        self, picture: DoubledSize, maps: Sequence[int], *, norm: Norm = "batch", score: nn.Module | None = None
    ) -> None:
        super().__init__()
        maps = maps[::-1]
        # A batch norm has a bias of its own.
        self.convolutions = nn.ModuleList(
            Conv2d(before, after, bias=norm == "none", **DOUBLING) for before, after in pairwise(maps)
        )
        # None on the picture: the discriminator is to see the colours as they are.
        norms = [nn.Identity(), *(_norm(norm, channels) for channels in maps[2:])]
        self.norms = nn.ModuleList(norms[: len(self.convolutions)])
        self.score = Conv2d(maps[-1], 1, picture.base, bias=False, std=STD) if score is None else score

    def features(self, images: Images) -> Float[Tensor, "n c2 h2 w2"]:
        """What the last hidden layer finds, at the first resolution."""
        x = images
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.leaky_relu(norm(convolution(x)), SLOPE)
        return x

    def forward(self, images: Images) -> PerSample:
        score = self.score(self.features(images)).flatten()
        return score.to(torch.promote_types(score.dtype, torch.float32))


def _norm(norm: Norm, channels: int) -> nn.Module:
    if norm == "batch":
        return BatchNorm2d(channels)
    return LayerNorm2d(channels) if norm == "layer" else nn.Identity()
