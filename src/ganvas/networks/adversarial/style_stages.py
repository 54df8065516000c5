"""Frozen networks whose maps style transfer compares pictures by, and the decoder that mirrors them.

VGG-16 or VGG-19 up to the first ReLU of its fourth stage (Huang and Belongie 2017, https://arxiv.org/abs/1703.06868,
section 6), or of its fifth, with the second ReLU of the fourth (Gatys et al. 2016, https://doi.org/10.1109/CVPR.2016.265),
or the maps of a classifier of one's own. Without a file their weights are random, the same ones every time: even random
convolutions see colours and strokes, though not things.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.progress import say
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images
from ganvas.features import classifier
from ganvas.features.resize import IMAGENET
from ganvas.features.tensors import read_tensors, require, without_prefix
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d

Kind = Literal["vgg19", "vgg16", "classifier"]
DEPTHS: dict[Kind, tuple[int, int, int]] = {"vgg19": (2, 2, 4), "vgg16": (2, 2, 3), "classifier": (2, 2, 2)}
WIDEST = 8  # The last stage's maps, times those of the first.
STAGES = 4


class StyleStages(nn.Module):
    """A frozen network that gives the maps of four stages, each half the size of the one before.

    Args:
        kind: Whose layers.
        width: Maps of the first stage; 64 in VGG.
        deeper: Of VGG also ``relu4_2``, of the fourth stage's size, and ``relu5_1``, of half of it.
    """

    def __init__(self, kind: Kind, width: int, *, deeper: bool = False) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.widths = tuple(width << stage for stage in range(STAGES))
        self.depths: tuple[int, ...] = DEPTHS[kind]
        layers = _classifier_layers if kind == "classifier" else _vgg_layers
        stages = layers(self.widths, self.depths)
        if deeper and kind != "classifier":
            fourth, wide = self.depths[-1], self.widths[-1]  # The fourth stage has as many layers as the third.
            self.widths, self.depths = (*self.widths, wide, wide), (*self.depths, fourth)
            stages += [nn.Sequential(*_seen(wide, wide)), _pooled(fourth - 2, wide, wide)]
        self.stages = nn.ModuleList(stages)
        self.register_buffer("mean", torch.zeros(3, 1, 1))  # Of pictures in [-1, 1].
        self.register_buffer("deviation", torch.ones(3, 1, 1))
        initialise(self, stream(0, "style stages"))
        self.requires_grad_(False)

    def forward(self, images: Images) -> list[Tensor]:
        """The maps (n, c, h, w) of each stage."""
        x = (images - self.get_buffer("mean")) / self.get_buffer("deviation")
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def seen(self, images: Images) -> list[Tensor]:
        """The maps of pictures that may be grey, or RGBA: those are seen on white."""
        if images.shape[1] == 4:
            alpha = (images[:, 3:] + 1) / 2
            images = alpha * images[:, :3] + (1 - alpha)
        return self(images.expand(-1, 3, -1, -1))

    def take(self, weights: str, *, model: str) -> None:
        """Takes the weights of a file; where none is named, says that they are random.

        Raises:
            UserError: the file cannot be read, or is of another network or width.
        """
        if weights:
            self.read(Path(weights).expanduser())
        else:
            say(f"{model}: {self.kind} has random weights; --set weights=FILE gives others.")

    @torch.no_grad()
    def read(self, path: Path) -> None:
        """Takes the weights of a file: torchvision's VGG, or a classifier of ``ganvas features train``.

        Raises:
            UserError: it cannot be read, or is of another network or width.
        """
        own = [part for part in self.modules() if isinstance(part, Conv2d)]
        if self.kind == "classifier":
            theirs, mean, deviation = _of_classifier(path, self.widths[0])
        else:
            theirs = _of_vgg(path, own, self.depths, network=f"{self.kind} of features={self.widths[0]}")
            mean, deviation = (torch.tensor(part)[:, None, None] for part in IMAGENET)
            mean, deviation = 2 * mean - 1, 2 * deviation
        for mine, (weight, bias) in zip(own, theirs, strict=True):
            assert mine.bias is not None
            mine.weight.copy_(weight)
            mine.bias.copy_(bias)
        self.get_buffer("mean").copy_(mean)
        self.get_buffer("deviation").copy_(deviation)


def mirrored_decoder(kind: Kind, width: int, channels: int = 3) -> nn.Sequential:
    """From the last maps to a picture: as many convolutions, mirrored borders, nearest neighbour, no norms."""
    widths = [width << stage for stage in range(STAGES)]
    layers: list[nn.Module] = []
    for depth, (narrow, wide) in reversed(list(zip(DEPTHS[kind], pairwise(widths), strict=True))):
        layers += [*_mirrored(wide, narrow), nn.ReLU(), nn.Upsample(scale_factor=2.0)]
        for _ in range(depth - 1):
            layers += [*_mirrored(narrow, narrow), nn.ReLU()]
    return nn.Sequential(*layers, *_mirrored(width, channels))


def _mirrored(before: int, after: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(1), Conv2d(before, after, 3)]


def _vgg_layers(widths: Sequence[int], depths: Sequence[int]) -> list[nn.Module]:
    """Each stage ends with the first ReLU after a pool."""
    stages: list[nn.Module] = [nn.Sequential(*_seen(3, widths[0]))]
    for depth, (before, after) in zip(depths, pairwise(widths), strict=True):
        stages.append(_pooled(depth - 1, before, after))
    return stages


def _pooled(depth: int, before: int, after: int) -> nn.Sequential:
    """What is left of a stage, a pool, and the first layer of the next stage."""
    left = [layer for _ in range(depth) for layer in _seen(before, before)]
    return nn.Sequential(*left, nn.MaxPool2d(2), *_seen(before, after))


def _classifier_layers(widths: Sequence[int], depths: Sequence[int]) -> list[nn.Module]:
    """Those of :class:`ganvas.features.classifier.Classifier`, its batch norms taken into the convolutions."""
    stages: list[nn.Module] = [nn.Sequential(*_seen(3, widths[0]))]
    for before, after in pairwise(widths):
        refined = Residual(nn.Sequential(*_seen(after, after), *_seen(after, after)))
        stages.append(nn.Sequential(*_seen(before, after, stride=2), refined))
    return stages


def _seen(before: int, after: int, *, stride: int = 1) -> list[nn.Module]:
    return [Conv2d(before, after, 3, stride=stride, padding=1), nn.ReLU()]


def _of_vgg(path: Path, own: Sequence[Conv2d], depths: Sequence[int], *, network: str) -> list[tuple[Tensor, Tensor]]:
    """Torchvision numbers its layers, ReLUs and pools included."""
    numbers, number = [], 0
    for depth in depths:
        numbers += [number + 2 * place for place in range(depth)]
        number += 2 * depth + 1
    numbers.append(number)
    shapes: dict[str, tuple[int, ...]] = {}
    for number, mine in zip(numbers, own, strict=True):
        shapes |= {
            f"features.{number}.weight": tuple(mine.weight.shape),
            f"features.{number}.bias": (len(mine.weight),),
        }
    found = require(without_prefix(read_tensors(path), "features.0.weight"), shapes, network)
    return [(found[f"features.{number}.weight"], found[f"features.{number}.bias"]) for number in numbers]


def _of_classifier(path: Path, width: int) -> tuple[list[tuple[Tensor, Tensor]], Tensor, Tensor]:
    if not classifier.is_classifier(path):
        raise UserError(f"{path} is no classifier of Ganvas. `ganvas features train SRC -o FILE` makes one.")
    trained = classifier.read(path)
    if trained.config.width != width:
        raise UserError(
            f"{path} has {trained.config.width} maps in its first layer, and features={width} is set. Give "
            f"--set features={trained.config.width}."
        )
    mean, deviation = (torch.tensor(part)[:, None, None] for part in (trained.config.mean, trained.config.deviation))
    folded = [(part.weight, part.bias) for part in trained.module.fold()]
    return [(weight, bias) for weight, bias in folded if bias is not None], mean / 127.5 - 1, deviation / 127.5
