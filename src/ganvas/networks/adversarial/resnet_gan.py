"""The residual generator and discriminator of adversarial networks: SNGAN's, SAGAN's and those that follow them.

Gulrajani et al. 2017 (https://arxiv.org/abs/1704.00028) made the pair, Miyato et al. 2018
(https://arxiv.org/abs/1802.05957, tables 4 to 6) normalised it spectrally, Miyato & Koyama 2018
(https://arxiv.org/abs/1802.05637) gave it classes: conditional batch norm in the generator, and in the discriminator
the product of the features with a vector of the class. Zhang et al. 2019 (https://arxiv.org/abs/1805.08318) put
attention into both. Layers and widths are those of the authors' codes
(https://github.com/pfnet-research/sngan_projection, https://github.com/brain-research/self-attention-gan).

Doubling and convolution, and convolution and halving, are one operation each, with the same values to rounding; so is
the order in a shortcut, whose 1 x 1 convolution is done where the picture is smaller.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Features, Images, Labels, Latents, PerSample
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.blocks.self_attention import SelfAttention2d
from ganvas.nn.layers.fused_scale import EqualizedDownConv2d, EqualizedUpConv2d
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.conditional_batch_norm import ConditionalBatchNorm2d
from ganvas.nn.norms.spectral_norm import SpectralNorm

INPUT = {
    "sngan_generator": (128,),
    "sngan_discriminator": (3, 32, 32),
    "sagan_generator": (128,),
    "sagan_discriminator": (3, 128, 128),
}
Wrap = Callable[[nn.Module], nn.Module]  # What is done to every layer with a weight.


def sngan_generator() -> nn.Module:
    """SNGAN for CIFAR-10: latents of 128 numbers in; pictures of 32 x 32 out."""
    return ResNetGenerator(latent_size=128, base=(4, 4), maps=(256,) * 4, channels=3)


def sngan_discriminator() -> nn.Module:
    """SNGAN for CIFAR-10: pictures of 32 x 32 in; one score each out."""
    return ResNetDiscriminator(channels=3, maps=(128,) * 4, halvings=2, score_bias=False)


def sagan_generator() -> nn.Module:
    """SAGAN without classes: latents of 128 numbers in; pictures of 128 x 128 out."""
    maps = (1024, 1024, 512, 256, 128, 64)
    return ResNetGenerator(latent_size=128, base=(4, 4), maps=maps, channels=3, wrap=SpectralNorm, attention=3)


def sagan_discriminator() -> nn.Module:
    """SAGAN without classes: pictures of 128 x 128 in; one score each out."""
    maps = (64, 128, 256, 512, 1024, 1024)
    return ResNetDiscriminator(channels=3, maps=maps, halvings=5, widen_first=True, attention=2)


def unchanged(layer: nn.Module) -> nn.Module:
    """The layer as it is: for a network without spectral normalisation."""
    return layer


class ResNetGenerator(nn.Module):
    """A dense layer to the first resolution, blocks that double, and a convolution to colours.

    Args:
        base: Height and width of the first resolution.
        maps: Feature maps at the first resolution and after every doubling.
        channels: Of a picture.
        num_classes: Above 0, the blocks' batch norms have a gain and a shift per class.
        wrap: What is done to every layer with a weight, such as spectral normalisation.
        attention: After how many doublings self-attention stands; None for none.
        attention_start: What the weight of that attention starts at.
    """

    def __init__(
        self,
        *,
        latent_size: int,
        base: tuple[int, int],
        maps: Sequence[int],
        channels: int,
        num_classes: int = 0,
        wrap: Wrap = unchanged,
        attention: int | None = None,
        attention_start: float = 0.0,
    ) -> None:
        super().__init__()
        self.first_shape = (maps[0], *base)
        inside = math.prod(self.first_shape)
        self.first = wrap(Linear(latent_size, inside, std=glorot(latent_size, inside)))
        self.blocks = nn.ModuleList(
            DoublingBlock(before, after, num_classes=num_classes, wrap=wrap) for before, after in pairwise(maps)
        )
        self.attention_at = attention
        self.attention = None
        if attention is not None:
            self.attention = SelfAttention2d(maps[attention], pool=True, start=attention_start, wrap=wrap)
        last = Conv2d(maps[-1], channels, 3, padding=1, std=glorot(9 * maps[-1], 9 * channels))
        self.last = nn.Sequential(BatchNorm2d(maps[-1]), nn.ReLU(), wrap(last), nn.Tanh())

    def forward(self, z: Latents, labels: Labels | None = None) -> Images:
        x = self.first(z).unflatten(1, self.first_shape)
        for doublings, block in enumerate([nn.Identity(), *self.blocks]):
            x = block(x, labels) if isinstance(block, DoublingBlock) else block(x)
            if self.attention is not None and doublings == self.attention_at:
                x = self.attention(x)
        return self.last(x)


class DoublingBlock(nn.Module):
    """``conv1(double x) + conv3(relu(norm(conv3(double(relu(norm x))))))``; the norms are given the class."""

    def __init__(self, before: int, after: int, *, num_classes: int, wrap: Wrap) -> None:
        super().__init__()
        self.norms = nn.ModuleList(_norm(channels, num_classes) for channels in (before, after))
        self.doubling = wrap(EqualizedUpConv2d(before, after, equalized=False))
        self.convolution = wrap(Conv2d(after, after, 3, padding=1))
        small = wrap(Conv2d(before, after, 1, std=glorot(before, after)))
        self.shortcut = nn.Sequential(small, nn.Upsample(scale_factor=2.0))

    def forward(self, x: Float[Tensor, "n c h w"], labels: Labels | None = None) -> Float[Tensor, "n c2 2*h 2*w"]:
        first, second = self.norms
        y = self.doubling(F.relu(_normed(first, x, labels)))
        return self.shortcut(x) + self.convolution(F.relu(_normed(second, y, labels)))


class ResNetDiscriminator(nn.Module):
    """Blocks that halve and blocks that do not, a sum over places, and a dense layer: spectrally normalised by default.

    With classes the score has one more term, the product of the features with a vector of the class
    (Miyato & Koyama 2018, eq. 3).

    Args:
        channels: Of a picture.
        maps: Feature maps after each block.
        halvings: How many blocks halve the picture, from the first on.
        num_classes: Above 0, scores depend on the class.
        score_bias: Whether the dense layer has a bias.
        widen_first: Whether a block's first convolution brings the new number of maps, as in SAGAN, or its second.
        pool: What is done over places: the sum as in SNGAN, or the mean as in WGAN-GP.
        wrap: What is done to every layer with a weight.
        attention: After how many blocks self-attention stands; None for none.
        attention_start: What the weight of that attention starts at.
    """

    def __init__(
        self,
        *,
        channels: int,
        maps: Sequence[int],
        halvings: int,
        num_classes: int = 0,
        score_bias: bool = True,
        widen_first: bool = False,
        pool: Literal["sum", "mean"] = "sum",
        wrap: Wrap = SpectralNorm,
        attention: int | None = None,
        attention_start: float = 0.0,
    ) -> None:
        super().__init__()
        self.pool = pool
        blocks: list[nn.Module] = [_picture_block(channels, maps[0], halve=halvings > 0, wrap=wrap)]
        for done, (before, after) in enumerate(pairwise(maps), start=1):
            within = after if widen_first else before
            blocks.append(_block(before, within, after, halve=done < halvings, wrap=wrap))
        if attention is not None:
            there = SelfAttention2d(maps[attention - 1], pool=True, start=attention_start, wrap=wrap)
            blocks.insert(attention, there)
        self.blocks = nn.Sequential(*blocks)
        self.score = wrap(Linear(maps[-1], 1, bias=score_bias, std=glorot(maps[-1], 1)))
        self.classes = None
        if num_classes:
            vectors = Linear(maps[-1], num_classes, bias=False, std=glorot(num_classes, maps[-1]))
            self.classes = wrap(vectors)

    def features(self, images: Images) -> Features:
        """The sum or the mean over places of what the last block says, after its ReLU."""
        x = F.relu(self.blocks(images))
        return x.sum((2, 3)) if self.pool == "sum" else x.mean((2, 3))

    def forward(self, images: Images, labels: Labels | None = None) -> PerSample:
        """How real pictures look; with labels, as pictures of their classes."""
        features = self.features(images)
        score = self.score(features).flatten()
        if self.classes is not None and labels is not None:
            score = score + self.classes(features).gather(1, labels[:, None]).flatten()
        return score.to(torch.promote_types(score.dtype, torch.float32))


def _picture_block(before: int, after: int, *, halve: bool, wrap: Wrap) -> Residual:
    """Without a ReLU on the picture itself."""
    branch = [wrap(Conv2d(before, after, 3, padding=1)), nn.ReLU(), _last_of_branch(after, after, halve, wrap)]
    shortcut = [*_pool(halve), wrap(Conv2d(before, after, 1, std=glorot(before, after)))]
    return Residual(nn.Sequential(*branch), shortcut=nn.Sequential(*shortcut))


def _block(before: int, within: int, after: int, *, halve: bool, wrap: Wrap) -> Residual:
    first = wrap(Conv2d(before, within, 3, padding=1))
    branch = nn.Sequential(nn.ReLU(), first, nn.ReLU(), _last_of_branch(within, after, halve, wrap))
    if before == after and not halve:
        return Residual(branch)
    shortcut = [*_pool(halve), wrap(Conv2d(before, after, 1, std=glorot(before, after)))]
    return Residual(branch, shortcut=nn.Sequential(*shortcut))


def _last_of_branch(before: int, after: int, halve: bool, wrap: Wrap) -> nn.Module:
    return wrap(EqualizedDownConv2d(before, after, equalized=False) if halve else Conv2d(before, after, 3, padding=1))


def _pool(halve: bool) -> list[nn.Module]:
    return [nn.AvgPool2d(2)] if halve else []


def _norm(channels: int, num_classes: int) -> nn.Module:
    return ConditionalBatchNorm2d(channels, num_classes) if num_classes else BatchNorm2d(channels)


def _normed(norm: nn.Module, x: Tensor, labels: Labels | None) -> Tensor:
    if not isinstance(norm, ConditionalBatchNorm2d):
        return norm(x)
    assert labels is not None, "a conditional generator is asked for samples of given classes"
    return norm(x, labels)


def glorot(fan_in: int, fan_out: int) -> float:
    """The standard deviation ``sqrt(2 / (fan_in + fan_out))`` (Glorot & Bengio 2010, eq. 16)."""
    return math.sqrt(2 / (fan_in + fan_out))
