"""A small network that says what is where, trained in a minute on pictures whose masks are known.

Two halvings with what was found before them handed across, as in a U-Net (Ronneberger et al. 2015,
https://arxiv.org/abs/1505.04597), narrower and with strided convolutions and batch normalisation. It has no notion of
place beside the zeros around a picture, and :mod:`~ganvas.dissect.labellers.segmenter_training` teaches it things at
random places.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_folder, read_json, write_json
from ganvas.core.files.typed_json import require
from ganvas.core.shapes import Images
from ganvas.data.cache import hash_file
from ganvas.dissect.labellers.labeller import Beliefs, LabelMaps
from ganvas.features.tensors import read_tensors
from ganvas.nn.blocks.skips import concatenate_skip

WEIGHTS, CARD = "weights.safetensors", "card.json"
AT_ONCE = 64


class Card(TypedDict):
    """What a trained segmenter says of itself."""

    labels: list[str]
    width: int
    source: str
    size: list[int]
    accuracy: float
    mean_iou: float
    iou: dict[str, float]  # On pictures that were held out.
    paste_recall: dict[str, float]  # Of things of held-out pictures at random places of others.
    paste_recall_on: dict[str, dict[str, float]]  # The same by what they were laid on.
    notes: dict[str, Any]


class SegmenterNetwork(nn.Module):
    """Scores of labels (n, k, h, w) of pictures in [-1, 1]."""

    def __init__(self, channels: int, labels: int, width: int) -> None:
        super().__init__()
        w = width
        self.at_full = _convolution(channels, w)
        self.at_half = nn.Sequential(_convolution(w, 2 * w, stride=2), _convolution(2 * w, 2 * w))
        self.at_quarter = nn.Sequential(
            _convolution(2 * w, 3 * w, stride=2), _convolution(3 * w, 3 * w), _convolution(3 * w, 3 * w)
        )
        self.up_half = _convolution(5 * w, 2 * w)
        self.up_full = _convolution(3 * w, w + w // 2)
        self.head = nn.Conv2d(w + w // 2, labels, 1)

    def forward(self, x: Images) -> Tensor:
        full = self.at_full(x)
        half = self.at_half(full)
        quarter = self.at_quarter(half)
        x = self.up_half(concatenate_skip(_doubled(quarter, half), half))
        return self.head(self.up_full(concatenate_skip(_doubled(x, full), full)))


def _convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _doubled(x: Tensor, like: Tensor) -> Tensor:
    """Enlarged to the size of a map before the halving, which may have been odd."""
    return F.interpolate(x, size=like.shape[2:], mode="nearest")


@dataclass(frozen=True, kw_only=True)
class Segmenter:
    """A trained segmenter as a labeller."""

    network: SegmenterNetwork
    card: Card
    identity: str
    labels: tuple[str, ...] = field(default=())

    @torch.no_grad()
    def segment(self, images: Images) -> LabelMaps:
        """The number of each pixel's label."""
        parts = [self._logits(part).argmax(1) for part in _rgb(images).split(AT_ONCE)]
        return torch.cat(parts)

    def score(self, images: Images) -> Beliefs:
        """The share of belief of each label, with a gradient to the pictures."""
        return self._logits(_rgb(images)).softmax(1)

    def _logits(self, images: Images) -> Tensor:
        return self.network(images.contiguous(memory_format=torch.channels_last))


def save(network: SegmenterNetwork, card: Card, folder: Path) -> None:
    """Writes a folder with weights and card, whole or not at all."""
    with atomic_folder(folder) as partial:
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, partial / WEIGHTS)
        write_json(partial / CARD, card)


def load(folder: Path) -> Segmenter:
    """A trained segmenter.

    Raises:
        UserError: the folder holds none, or it is damaged.
    """
    if not (folder / CARD).is_file() or not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} is no trained segmenter: it holds no {CARD} with {WEIGHTS}.")
    card = require(Card, read_json(folder / CARD), str(folder / CARD))
    network = SegmenterNetwork(3, len(card["labels"]), card["width"])
    try:
        network.load_state_dict(read_tensors(folder / WEIGHTS))
    except RuntimeError:
        raise UserError(f"{folder} is damaged: its weights do not fit its card. Remove it and train again.") from None
    network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    identity = f"segmenter@{hash_file(folder / WEIGHTS)[:8]}"
    return Segmenter(network=network, card=card, identity=identity, labels=tuple(card["labels"]))


def _rgb(images: Images) -> Images:
    """Grey three times; without its opacity otherwise."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
