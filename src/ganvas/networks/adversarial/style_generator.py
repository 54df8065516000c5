"""Style-based generator with skip connections (Karras et al. 2020, StyleGAN2, https://arxiv.org/abs/1912.04958).

A mapping network turns a latent z into an intermediate one, w, which need not follow a fixed density; a synthesis
network begins at a learnt constant, and w says at every layer how large each feature map is. Noise of one number per
pixel gives what is chance in a picture: where a hair lies. Each resolution adds to an RGB picture that is doubled on
the way (figure 7b), so that no growing is needed for the coarse resolutions to be learnt first.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.core.shapes import Images, Labels, Latents
from ganvas.nn.layers.equalized import EqualizedLinear
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.modulated_conv import ModulatedConv2d
from ganvas.nn.layers.smooth_resample import smooth_double
from ganvas.nn.norms.pixel_norm import pixel_norm

PAPER256 = [512, 512, 512, 512, 256, 128, 64]  # Feature maps of 4 x 4 to 256 x 256 in that setting.
INPUT = {"stylegan2_generator": (512,)}
SLOPE = 0.2  # Of every leaky ReLU.
GAIN = math.sqrt(2)  # Of every activation: what a leaky ReLU takes from the size of its input, nearly.

Styles = Float[Tensor, "n layers s"]  # An intermediate latent for every layer of the synthesis network.
Noise = Sequence[Float[Tensor, "n 1 _ _"]]  # A map per layer with noise, in the order of the layers.


def stylegan2_generator() -> nn.Module:
    """Of 256 x 256, as in the settings "paper256" of Karras et al. 2020 (ADA, https://arxiv.org/abs/2006.06676)."""
    return StyleGenerator(PAPER256)


class MappingNetwork(nn.Module):
    """From latents, labels or both to intermediate latents: fully connected layers that learn slowly.

    Latents and the embedding of the label are each brought to unit mean square.

    Args:
        latent_size: Numbers in z; 0 for a network of labels alone, as the discriminator has.
        lr_multiplier: Of the layers' speed of learning.
    """

    def __init__(
        self, latent_size: int, style_size: int, *, layers: int, lr_multiplier: float, num_classes: int = 0
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.embedding = EqualizedLinear(num_classes, style_size, gain=1.0) if num_classes else None
        inputs = latent_size + (style_size if num_classes else 0)
        self.layers = nn.ModuleList(
            EqualizedLinear(
                style_size if at else inputs, style_size, gain=GAIN, bias_gain=GAIN, lr_multiplier=lr_multiplier
            )
            for at in range(layers)
        )

    def forward(self, z: Latents | None, labels: Labels | None = None) -> Float[Tensor, "n s"]:
        given = [] if z is None else [pixel_norm(z)]
        if self.embedding is not None:
            assert labels is not None, "a conditional network is asked for given classes"
            dtype = filled(self.embedding.weight).dtype
            given.append(pixel_norm(self.embedding(F.one_hot(labels, self.num_classes).to(dtype))))
        x = torch.cat(given, dim=1)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
        return x


class SynthesisLayer(nn.Module):
    """``lrelu(modulated_conv(x, w) + strength noise + bias) sqrt(2)``, doubled where wanted.

    The buffer ``noise`` is what is added when none is given: the same for every picture, so that a picture is a
    function of its latent.
    """

    noise: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, *, style_size: int, size: tuple[int, int], up: bool
    ) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(in_channels, out_channels, 3, style_size=style_size, up=up)
        self.strength = unset(1)
        self.bias = unset(out_channels)
        self.register_buffer("noise", torch.zeros(size))

    def reset(self, generator: torch.Generator) -> None:
        """Noise begins at strength 0; what is added to every picture is drawn once."""
        nn.init.zeros_(self.strength)
        nn.init.zeros_(self.bias)
        normal_(self.noise, generator)

    def forward(
        self, x: Float[Tensor, "n c_in h w"], w: Float[Tensor, "n s"], noise: Float[Tensor, "n 1 h2 w2"] | None = None
    ) -> Float[Tensor, "n c_out h2 w2"]:
        # The activation is homogeneous, so its gain is taken into what it is of.
        added = self.noise if noise is None else noise
        added = (GAIN * filled(self.strength)) * added
        y = self.convolution(x, w, gain=GAIN) + added.to(x.dtype)
        return F.leaky_relu(y + (GAIN * filled(self.bias)).to(x.dtype).view(-1, 1, 1), SLOPE)


class ToRGB(nn.Module):
    """A modulated 1 x 1 convolution to colours, without demodulation and without an activation."""

    def __init__(self, in_channels: int, out_channels: int, *, style_size: int) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(in_channels, out_channels, 1, style_size=style_size, demodulate=False)
        self.bias = unset(out_channels)

    def reset(self, generator: torch.Generator) -> None:
        nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "n c_in h w"], w: Float[Tensor, "n s"]) -> Float[Tensor, "n c_out h w"]:
        y = self.convolution(x, w)
        return y + filled(self.bias).to(y.dtype).view(-1, 1, 1)


class SynthesisNetwork(nn.Module):
    """From the styles of all layers to a picture.

    Layer 0 works at the first resolution; two belong to each next one, and the last colours the last. The colours of
    a resolution share the style of the layer that follows.

    Args:
        maps: Feature maps from the first resolution up.
        base: Height and width of the first resolution.
    """

    def __init__(self, maps: Sequence[int], *, base: tuple[int, int], channels: int, style_size: int) -> None:
        super().__init__()
        self.constant = unset(maps[0], *base)
        layers = [SynthesisLayer(maps[0], maps[0], style_size=style_size, size=base, up=False)]
        for level in range(1, len(maps)):
            size = (base[0] << level, base[1] << level)
            layers.append(SynthesisLayer(maps[level - 1], maps[level], style_size=style_size, size=size, up=True))
            layers.append(SynthesisLayer(maps[level], maps[level], style_size=style_size, size=size, up=False))
        self.layers = nn.ModuleList(layers)
        self.to_rgb = nn.ModuleList(ToRGB(m, channels, style_size=style_size) for m in maps)
        self.noise_sizes = [tuple(layer.noise.shape) for layer in layers]

    @property
    def num_styles(self) -> int:
        """How many styles a picture has."""
        return len(self.layers) + 1

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.constant, generator)

    def forward(self, styles: Styles, noise: Noise | None = None) -> Images:
        constant = filled(self.constant).to(styles.dtype)
        x = constant.expand(len(styles), *constant.shape).contiguous(memory_format=torch.channels_last)
        maps = [None] * len(self.layers) if noise is None else noise
        images = None
        for at, (layer, added) in enumerate(zip(self.layers, maps, strict=True)):
            x = layer(x, styles[:, at], added)
            if at % 2 == 0:
                colours = self.to_rgb[at // 2](x, styles[:, at + 1])
                images = colours if images is None else smooth_double(images) + colours
        assert images is not None
        return images


class StyleGenerator(nn.Module):
    """Mapping and synthesis, with the running mean of w: the centre of the latent space, which training follows.

    Args:
        maps: Feature maps from the first resolution up.
        base: Height and width of the first resolution.
        style_size: Numbers in w.
        mapping_lr: Times the learning rate, for the mapping network.
    """

    style_mean: Tensor

    def __init__(
        self,
        maps: Sequence[int],
        *,
        base: tuple[int, int] = (4, 4),
        channels: int = 3,
        latent_size: int = 512,
        style_size: int = 512,
        mapping_layers: int = 8,
        mapping_lr: float = 0.01,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        self.mapping = MappingNetwork(
            latent_size, style_size, layers=mapping_layers, lr_multiplier=mapping_lr, num_classes=num_classes
        )
        self.synthesis = SynthesisNetwork(maps, base=base, channels=channels, style_size=style_size)
        self.register_buffer("style_mean", torch.zeros(style_size))

    def forward(
        self, z: Latents, labels: Labels | None = None, *, psi: float = 1.0, noise: Noise | None = None
    ) -> Images:
        """Pictures of latents; ``psi`` below 1 draws w towards its mean (truncation)."""
        w = self.mapping(z, labels)
        if psi != 1.0:
            w = torch.lerp(self.style_mean.to(w.dtype), w, psi)
        return self.synthesis(w.unsqueeze(1).expand(-1, self.synthesis.num_styles, -1), noise)

    def mixed(
        self, z: Latents, other: Latents, layers: Int[Tensor, " n"], labels: Labels | None = None
    ) -> tuple[Float[Tensor, "n s"], Styles]:
        """The w of ``z``, and styles: those of ``z`` below layer ``layers``, those of ``other`` from it on."""
        both = None if labels is None else labels.repeat(2)
        w, w_other = self.mapping(torch.cat([z, other]), both).chunk(2)
        at = torch.arange(self.synthesis.num_styles, device=z.device)
        first = (at < layers.unsqueeze(1)).unsqueeze(2)
        return w, torch.where(first, w.unsqueeze(1), w_other.unsqueeze(1))
