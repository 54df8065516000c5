"""The networks of progressive growing: pictures of every resolution from one generator, into one discriminator.

Karras et al. 2018, https://arxiv.org/abs/1710.10196, and its authors' releases: each resolution has layers of its own
to and from colours, and the newest is faded in.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Features, Images, Labels, Latents, PerSample, Scalar
from ganvas.nn.blocks.minibatch_discrimination_layer import MinibatchDiscrimination
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.nn.layers.equalized import EqualizedConv2d, EqualizedLinear, scaled
from ganvas.nn.layers.fused_scale import EqualizedDownConv2d, EqualizedUpConv2d
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.resample import double, halve
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.layer_norm import LayerNorm2d
from ganvas.nn.norms.pixel_norm import pixel_norm

V1_NORM_EPS = 1e-4  # Of batch normalisation in v1's framework.
SLOPE = 0.2  # Of the discriminator's leaky ReLU.
FIRST = 4  # Nominal resolution of the first block, whatever its true size.


@dataclass(frozen=True, kw_only=True)
class ProgressiveSettings:
    """What a model's ``Config`` says of the two networks."""

    picture: DoubledSize
    num_classes: int = 0
    template: Literal["paper", "mode-recovery"] = "paper"
    latent_size: int = 512
    fmap_base: int = 8192
    fmap_decay: float = 1.0
    fmap_max: int = 512
    discriminator_divisor: int = 1
    normalize_latents: bool = True
    pixel_norm: bool = True
    equalized: bool = True
    generator_slope: float = 0.2
    generator_norm: Literal["none", "batch"] = "none"
    discriminator_norm: Literal["none", "batch", "layer"] = "none"
    minibatch_statistic: Literal["stddev", "discrimination", "none"] = "stddev"
    group_size: int | None = 4
    discrimination_kernels: int = 100
    tanh: bool = False
    pool_before_activation: bool = True

    def feature_maps(self, stage: int) -> int:
        """``nf(stage) = min(fmap_base / 2^(stage fmap_decay), fmap_max)``; resolution 4 * 2^k is stage k + 1."""
        return max(min(int(self.fmap_base / 2 ** (stage * self.fmap_decay)), self.fmap_max), 1)


def layers_of(block: nn.Module) -> list[nn.Module]:
    """The layers of a block that is a list."""
    assert isinstance(block, nn.ModuleList)
    return list(block)


class LatentBlock(nn.Module):
    """The latent as a 4x4 picture: a dense layer with one bias per feature map.

    Its gain is divided by the root of the number of pixels, so that it equals the full 4x4 convolution of v1.
    """

    def __init__(self, settings: ProgressiveSettings, out_channels: int) -> None:
        super().__init__()
        self.base = settings.picture.base
        inputs, pixels = (
            settings.latent_size + settings.num_classes,
            settings.picture.base[0] * settings.picture.base[1],
        )
        he = math.sqrt(2) / math.sqrt(inputs * pixels)
        self.std, self.scale = (1.0, he) if settings.equalized else (he, 1.0)
        self.weight = unset(out_channels * pixels, inputs)
        self.bias = unset(out_channels)

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=self.std)
        nn.init.zeros_(self.bias)

    def forward(self, z: Latents) -> Images:
        x = F.linear(z, scaled(self.weight, self.scale, z.dtype))
        x = x.view(x.shape[0], -1, *self.base).contiguous(memory_format=torch.channels_last)
        return x + filled(self.bias).to(x.dtype).view(1, -1, 1, 1)


class ProgressiveGenerator(nn.Module):
    """From a latent to a picture of any of its resolutions."""

    def __init__(self, settings: ProgressiveSettings) -> None:
        super().__init__()
        self.settings = settings
        paper, equalized = settings.template == "paper", settings.equalized
        nf = settings.feature_maps
        maps = [nf(k + 1) if paper else nf(k) for k in range(settings.picture.levels + 1)]
        if not paper:
            maps[0] = 64  # Fixed in appendix E's network, whatever fmap_base is.
        self.latent = LatentBlock(settings, maps[0])
        self.latent_norm = self._norm(maps[0])
        first = [EqualizedConv2d(maps[0], maps[0], 3, equalized=equalized)] if paper else []
        self.blocks = nn.ModuleList([nn.ModuleList(first)])
        for before, after in pairwise(maps):
            block: list[nn.Module] = [EqualizedUpConv2d(before, after, equalized=equalized)]
            if paper:
                block.append(EqualizedConv2d(after, after, 3, equalized=equalized))
            self.blocks.append(nn.ModuleList(block))
        self.norms = nn.ModuleList(
            nn.ModuleList(self._norm(channels) for _ in layers_of(block))
            for channels, block in zip(maps, self.blocks, strict=True)
        )
        rgb_kernel = 1 if paper else 3
        self.to_rgb = nn.ModuleList(
            EqualizedConv2d(channels, settings.picture.channels, rgb_kernel, gain=1.0, equalized=equalized)
            for channels in maps
        )

    def forward(
        self,
        z: Latents,
        labels: Labels | None = None,
        *,
        resolution: int | None = None,
        fade: Scalar | None = None,
    ) -> Images:
        """Pictures of ``resolution`` (the full one if None); ``fade`` weighs it against the one below."""
        level = self.settings.picture.levels if resolution is None else (resolution // FIRST).bit_length() - 1
        if self.settings.normalize_latents:
            z = pixel_norm(z)
        if self.settings.num_classes:
            assert labels is not None, "a conditional generator is asked for pictures of given classes"
            z = torch.cat([z, F.one_hot(labels, self.settings.num_classes).to(z.dtype)], dim=1)
        below = x = self._finish(self.latent(z), self.latent_norm)
        for block, norms in zip(self.blocks[: level + 1], self.norms, strict=False):
            below = x
            for convolution, norm in zip(layers_of(block), layers_of(norms), strict=True):
                x = self._finish(convolution(x), norm)
        rgb = self.to_rgb[level](x)
        if fade is not None and level > 0:
            rgb = torch.lerp(double(self.to_rgb[level - 1](below)), rgb, fade.to(rgb.dtype))
        return rgb.tanh() if self.settings.tanh else rgb

    def _norm(self, channels: int) -> nn.Module:
        return BatchNorm2d(channels, eps=V1_NORM_EPS) if self.settings.generator_norm == "batch" else nn.Identity()

    def _finish(self, x: Tensor, norm: nn.Module) -> Tensor:
        """What follows a convolution: (batch norm,) leaky ReLU, (pixel norm)."""
        x = F.leaky_relu(norm(x), self.settings.generator_slope)
        return pixel_norm(x) if self.settings.pixel_norm else x


class ProgressiveDiscriminator(nn.Module):
    """From a picture of any of its resolutions to a score, and to the logits of its class when it has classes."""

    def __init__(self, settings: ProgressiveSettings) -> None:
        super().__init__()
        self.settings = settings
        self.paper = settings.template == "paper"

        def nf(stage: int) -> int:
            return max(settings.feature_maps(stage) // settings.discriminator_divisor, 1)

        maps = [nf(k + 1) for k in range(settings.picture.levels + 1)]
        self.from_rgb = nn.ModuleList(
            EqualizedConv2d(settings.picture.channels, m, 1, equalized=settings.equalized) for m in maps
        )
        if not self.paper:  # Appendix E feeds the picture itself to the topmost convolution.
            self.from_rgb[-1] = nn.Identity()
        self.blocks, self.norms = nn.ModuleList(), nn.ModuleList()  # From the second resolution up.
        for level, (below, upper) in enumerate(pairwise(maps), start=1):
            top_of_appendix_e = not self.paper and level == settings.picture.levels
            channels = settings.picture.channels if top_of_appendix_e else upper
            block = [self._convolution(upper, upper)] if self.paper else []
            self.blocks.append(nn.ModuleList([*block, self._convolution(channels, below, down=True)]))
            self.norms.append(nn.ModuleList([self._norm(upper)] * len(block) + [self._norm(below)]))
        statistic = settings.minibatch_statistic
        self.stddev = MinibatchStdDev(settings.group_size) if statistic == "stddev" else None
        features = maps[0] + (1 if self.stddev else 0)
        height, width = settings.picture.base
        if self.paper:
            self.convolution, self.convolution_norm = self._convolution(features, maps[0]), self._norm(maps[0])
            self.dense = EqualizedLinear(
                maps[0] * height * width,
                nf(0),
                equalized=settings.equalized,
                bias=settings.discriminator_norm != "layer",
            )
            self.dense_norm = self._norm(nf(0))
            features = nf(0)
        else:
            features *= height * width
        self.discrimination = None
        if statistic == "discrimination":
            self.discrimination = MinibatchDiscrimination(features, kernels=settings.discrimination_kernels)
            features += settings.discrimination_kernels
        self.score = EqualizedLinear(features, 1 + settings.num_classes, gain=1.0, equalized=settings.equalized)

    def forward(self, images: Images, *, fade: Scalar | None = None) -> tuple[PerSample, Tensor]:
        """Scores (n,) and class logits (n, num_classes), float32 at least; the level is read off the picture's size."""
        x = self.features(images, fade=fade)
        if self.discrimination is not None:
            x = self.discrimination(x)
        scores = self.score(x)
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        return scores[:, 0], scores[:, 1:]

    def features(self, images: Images, *, fade: Scalar | None = None) -> Features:
        """What the last layer (or minibatch discrimination before it) sees."""
        level = (images.shape[-2] // self.settings.picture.base[0]).bit_length() - 1
        x = self._read(images, level)
        for at in range(level, 0, -1):
            x = self._block(x, at)
            if fade is not None and at == level:
                x = torch.lerp(self._read(halve(images), level - 1).to(x.dtype), x, fade.to(x.dtype))
        if self.stddev is not None:
            x = self.stddev(x)
        if self.paper:
            x = F.leaky_relu(self.convolution_norm(self.convolution(x)), SLOPE)
            x = self.dense(x.flatten(1))[:, :, None, None]
            x = F.leaky_relu(self.dense_norm(x), SLOPE)
        return x.flatten(1)

    def _read(self, images: Images, level: int) -> Tensor:
        layer = self.from_rgb[level]
        return images if isinstance(layer, nn.Identity) else F.leaky_relu(layer(images), SLOPE)

    def _block(self, x: Tensor, level: int) -> Tensor:
        """The convolutions of one resolution and the halving that leads to the one below."""
        block, norms = self.blocks[level - 1], self.norms[level - 1]
        for convolution, norm in zip(layers_of(block), layers_of(norms), strict=True):
            x = F.leaky_relu(norm(convolution(x)), SLOPE)
        return x if self.settings.pool_before_activation else halve(x)

    def _convolution(self, before: int, after: int, *, down: bool = False) -> nn.Module:
        if down and self.settings.pool_before_activation:
            return EqualizedDownConv2d(before, after, equalized=self.settings.equalized)
        bias = self.settings.discriminator_norm != "layer"  # v1's layer norm adds the bias after normalising.
        return EqualizedConv2d(before, after, 3, equalized=self.settings.equalized, bias=bias)

    def _norm(self, channels: int) -> nn.Module:
        if self.settings.discriminator_norm == "batch":
            return BatchNorm2d(channels, eps=V1_NORM_EPS)
        return LayerNorm2d(channels) if self.settings.discriminator_norm == "layer" else nn.Identity()


def grown(stage: Stage | None, device: torch.device) -> tuple[int | None, Tensor | None]:
    """Resolution and fade of a stage, as the networks take them."""
    if stage is None:
        return None, None
    return stage.resolution, torch.tensor(stage.fade, device=device) if stage.fading else None
