"""VGG-16, its second fully connected layer: what precision and recall were introduced with.

Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556; used for precision and recall by Kynkäänniemi et al. 2019,
https://arxiv.org/abs/1904.06991. ``features`` is ``fc2`` after its ReLU, 4096 long.

Pictures are resized to 224 x 224 by TensorFlow 1's bilinear rule (as torch-fidelity does)
and normalised by ImageNet's mean and deviation.

Departs from the paper's own code: that runs a pickled TensorFlow network, whose resize and weights cannot be read from
its source; these are torchvision's weights.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.features.network import Network, Precision, dtype_of, identity_of
from ganvas.features.release import Release
from ganvas.features.resize import IMAGENET, TF1_BILINEAR, standardised, tf1_bilinear
from ganvas.features.tensors import require, without_prefix
from ganvas.features.weights import Weights

NAME = "vgg16"
TAPS = {"features": 4096}
WEIGHTS = Release(
    file="vgg16-397923af.pth",
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    size_bytes=553_433_881,
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
    licence="BSD-3-Clause",
    origin="torchvision, trained on ImageNet",
)
SIZE = 224
FIRST = "features.0.weight"
POOLED = 7  # Side of the last map, which the first linear layer reads whole.
CHANNELS: tuple[tuple[int, ...], ...] = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)


class Vgg16(Network):
    """VGG-16 as far as its second linear layer."""

    def __init__(
        self,
        weights: Weights,
        *,
        channels: Sequence[Sequence[int]] = CHANNELS,
        hidden: int = TAPS["features"],
        device: torch.device | str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        self.device, self._dtype = torch.device(device), dtype_of(precision)
        self.identity = identity_of("vgg16", sha256=weights.sha256, resize=TF1_BILINEAR, precision=precision)
        self.taps = {"features": hidden}
        shapes = linear_shapes(channels, hidden)
        tensors = require(without_prefix(weights.tensors, FIRST), shapes, "VGG-16")
        self._t = {name: value.to(self.device, self._dtype) for name, value in tensors.items()}
        self._trunk = Trunk(weights, channels, device=self.device, dtype=self._dtype)

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        *_, last = self._trunk.stages(standardised(tf1_bilinear(pictures, SIZE), IMAGENET))
        x = F.max_pool2d(last, 2).flatten(1)
        for number in (0, 3):
            x = F.linear(x, self._t[f"classifier.{number}.weight"], self._t[f"classifier.{number}.bias"]).relu_()
        return {"features": x}


class Trunk:
    """The convolutions of VGG-16, each with a ReLU, in five stages with a pool between.

    Args:
        weights: VGG-16's, with or without its linear layers.
        channels: Of the convolutions by stage.
    """

    def __init__(
        self,
        weights: Weights,
        channels: Sequence[Sequence[int]] = CHANNELS,
        *,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        found = require(without_prefix(weights.tensors, FIRST), convolution_shapes(channels), "VGG-16")
        ready = {name: value.to(device, dtype) for name, value in found.items()}
        self._dtype = dtype
        self._stages = [
            [
                (
                    ready[f"features.{number}.weight"].contiguous(memory_format=torch.channels_last),
                    ready[f"features.{number}.bias"],
                )
                for number in numbers
            ]
            for numbers in numbers_of(channels)
        ]

    def stages(self, x: Float[Tensor, "n 3 h w"]) -> Iterator[Tensor]:
        """What each stage's last ReLU gives, before the pool."""
        x = x.to(self._dtype, memory_format=torch.channels_last)
        for number, layers in enumerate(self._stages):
            x = F.max_pool2d(x, 2) if number else x
            for weight, bias in layers:
                x = F.conv2d(x, weight, bias, padding=1).relu_()
            yield x


def numbers_of(channels: Sequence[Sequence[int]]) -> list[list[int]]:
    """The numbers of the convolutions in torchvision's list, where each has a ReLU behind it and each stage a pool.

    >>> numbers_of(((8, 8), (16,)))
    [[0, 2], [5]]
    """
    stages, number = [], 0
    for stage in channels:
        stages.append([number + 2 * place for place in range(len(stage))])
        number += 2 * len(stage) + 1
    return stages


def shapes_of(
    channels: Sequence[Sequence[int]] = CHANNELS, hidden: int = TAPS["features"]
) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor that is used, by torchvision's names."""
    return convolution_shapes(channels) | linear_shapes(channels, hidden)


def convolution_shapes(channels: Sequence[Sequence[int]] = CHANNELS) -> dict[str, tuple[int, ...]]:
    """Those of the convolutions."""
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = 3
    for numbers, stage in zip(numbers_of(channels), channels, strict=True):
        for number, outputs in zip(numbers, stage, strict=True):
            shapes |= {f"features.{number}.weight": (outputs, inputs, 3, 3), f"features.{number}.bias": (outputs,)}
            inputs = outputs
    return shapes


def linear_shapes(channels: Sequence[Sequence[int]], hidden: int) -> dict[str, tuple[int, ...]]:
    """Those of both linear layers."""
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = channels[-1][-1] * POOLED**2
    for number in (0, 3):
        shapes |= {f"classifier.{number}.weight": (hidden, inputs), f"classifier.{number}.bias": (hidden,)}
        inputs = hidden
    return shapes


def build(weights: Weights | None, *, device: torch.device, precision: Precision) -> Vgg16:
    """The network with its weights."""
    assert weights is not None
    return Vgg16(weights, device=device, precision=precision)
