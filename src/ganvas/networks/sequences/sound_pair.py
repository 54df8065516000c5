"""The generator and the critic of "Adversarial Audio Synthesis": of waves, and of spectrograms.

Donahue, McAuley, Puckette (ICLR 2019), https://arxiv.org/abs/1802.04208, appendix D. Both have a dense layer and
strided convolutions without norms, padded as TensorFlow's "same". Those of waves are one row high and have 25 taps of
stride 4; those of spectrograms are 5x5 of stride 2. Weights start normal with the variance of Glorot's law.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.shapes import Images, Latents, PerSample
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d, Linear
from ganvas.nn.sound.phase_shuffle import phase_shuffle

SLOPE = 0.2  # Of the critic's leaky ReLU.

Taps = tuple[int, int]  # Of a kernel, along its height and its width.
Shifts = Int[Tensor, " layers"]


@dataclass(frozen=True, kw_only=True)
class SoundLayers:
    """What both networks are made of, from the latent to the sound."""

    first: tuple[int, int]  # Height and width of what the dense layer makes.
    width: int  # Feature maps of the longest hidden layer; doubled with every one towards the latent.
    kernel: Taps
    strides: tuple[int, ...]

    @property
    def maps(self) -> list[int]:
        """Of every hidden layer, from the sound to the latent."""
        return [self.width << place for place in range(len(self.strides))]

    @property
    def first_size(self) -> int:
        """Numbers that the dense layers make and see."""
        return self.first[0] * self.first[1] * self.maps[-1]


class SoundGenerator(nn.Module):
    """A dense layer, then transposed convolutions with a ReLU before each; tanh at the end."""

    def __init__(self, layers: SoundLayers, *, latent_size: int) -> None:
        super().__init__()
        maps = [*layers.maps[::-1], 1]
        self.shape = (maps[0], *layers.first)
        self.dense = Linear(latent_size, layers.first_size, std=_glorot(latent_size, layers.first_size))
        self.layers = nn.ModuleList(
            _Enlarging(before, after, layers.kernel, stride)
            for (before, after), stride in zip(pairwise(maps), layers.strides, strict=True)
        )

    def forward(self, z: Latents) -> Images:
        x = self.dense(z).view(len(z), *self.shape)
        for layer in self.layers:
            x = layer(F.relu(x))
        return torch.tanh(x)


class SoundCritic(nn.Module):
    """Strided convolutions with a leaky ReLU behind each, then a dense layer."""

    def __init__(self, layers: SoundLayers) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _Reducing(before, after, layers.kernel, stride)
            for (before, after), stride in zip(pairwise([1, *layers.maps]), layers.strides, strict=True)
        )
        self.score = Linear(layers.first_size, 1, std=_glorot(layers.first_size, 1))
        assert self.score.bias is not None
        self.score.bias.requires_grad_(False)  # Published numbers count it; a loss of differences moves it nowhere.

    def forward(self, x: Images, shifts: Shifts | None = None) -> PerSample:
        """One number per sound.

        Args:
            x: Waves as pictures of one row, or spectrograms.
            shifts: By which what each layer but the last says is shifted; None shifts nothing.
        """
        for place, layer in enumerate(self.layers):
            x = F.leaky_relu(layer(x), SLOPE)
            if shifts is not None and place < len(shifts):
                x = phase_shuffle(x, shifts[place])
        return self.score(x.flatten(1)).flatten()


class SameFilter(nn.Module):
    """One long filter along a row, without a bias, which keeps the number of samples."""

    def __init__(self, taps: int) -> None:
        super().__init__()
        self.padding = _same(taps, 1)
        self.convolution = Conv2d(1, 1, (1, taps), bias=False, std=_glorot(taps, taps))

    def forward(self, x: Float[Tensor, "n 1 1 samples"]) -> Float[Tensor, "n 1 1 samples"]:
        return self.convolution(F.pad(x, self.padding))


class _Reducing(nn.Module):
    """A convolution whose output has the ``stride``-th part of every side that its kernel is long on."""

    def __init__(self, inputs: int, outputs: int, kernel: Taps, stride: int) -> None:
        super().__init__()
        self.padding = (*_same(kernel[1], stride), *_same(kernel[0], stride))
        std = _glorot(math.prod(kernel) * inputs, math.prod(kernel) * outputs)
        self.convolution = Conv2d(inputs, outputs, kernel, stride=stride, std=std)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        return self.convolution(F.pad(x, self.padding))


class _Enlarging(nn.Module):
    """A transposed convolution whose output has ``stride`` times every side that its kernel is long on."""

    def __init__(self, inputs: int, outputs: int, kernel: Taps, stride: int) -> None:
        super().__init__()
        self.top, self.left = _same(kernel[0], stride)[0], _same(kernel[1], stride)[0]
        self.times = tuple(stride if taps > 1 else 1 for taps in kernel)
        std = _glorot(math.prod(kernel) * inputs, math.prod(kernel) * outputs)
        self.convolution = ConvTranspose2d(inputs, outputs, kernel, stride=stride, std=std)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        height, width = (side * times for side, times in zip(x.shape[2:], self.times, strict=True))
        return self.convolution(x)[..., self.top : self.top + height, self.left : self.left + width]


def _same(taps: int, stride: int) -> tuple[int, int]:
    """Zeros before and behind, by which an output has exactly the ``stride``-th part of the samples.

    >>> _same(25, 4), _same(5, 2), _same(1, 4)
    ((10, 11), (1, 2), (0, 0))
    """
    whole = max(taps - stride, 0)
    return whole // 2, whole - whole // 2


def _glorot(inputs: int, outputs: int) -> float:
    """The standard deviation of Glorot's law."""
    return math.sqrt(2 / (inputs + outputs))
