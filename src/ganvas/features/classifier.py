"""A small residual classifier of the user's own classes, as a feature network: a domain's own Fréchet distance.

Inception's features were learned on ImageNet, and a Fréchet distance on them rewards what ImageNet's classes look like
(Kynkäänniemi et al. 2023, https://arxiv.org/abs/2203.06026). A classifier that was trained on a domain sees what tells
its classes apart. ``features`` is the mean over the last map, ``logits`` are the classes (for the domain's own
Inception Score), and ``channel_logits`` those of red, green and blue, each looked at as a grey picture (for stacked
pictures). Pictures are resized to the size it was trained at, by bicubic interpolation with antialiasing.

It is one safetensors file with its configuration in the file's metadata. :mod:`ganvas.features.classifier_training`
makes one.
"""

import copy
import itertools
import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganvas.core.config import from_plain, to_plain
from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file
from ganvas.core.files.typed_json import parse, require
from ganvas.data.cache import content_hash
from ganvas.features.network import Network, Precision, dtype_of, identity_of
from ganvas.features.resize import BICUBIC, bicubic
from ganvas.features.tensors import read_tensors

FORMAT = "ganvas-classifier"
MOST_HEADER_BYTES = 10_000_000
MOST_WIDTH, MOST_SIDE = 4096, 4096
LARGE_FROM = 48  # Side of a picture from which on the first convolution halves it.


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a classifier is made of."""

    classes: tuple[str, ...]
    size: int  # Side of its pictures.
    width: int = 16  # Channels of the first map; the last has 8 times as many.
    mean: tuple[float, ...] = (127.5,) * 3  # Of the training pictures' channels, in bytes ...
    deviation: tuple[float, ...] = (127.5,) * 3  # ... and their standard deviation.

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or not 8 <= self.size <= MOST_SIDE or not 1 <= self.width <= MOST_WIDTH:
            raise UserError(
                f"A classifier of {len(self.classes)} classes, size={self.size}, width={self.width} cannot be. It has "
                f"at least 2 classes, a size of 8 to {MOST_SIDE} and a width of 1 to {MOST_WIDTH}."
            )
        if len(self.mean) != 3 or len(self.deviation) != 3 or min(self.deviation) <= 0:
            raise UserError("A classifier has three means and three deviations above 0: of red, green and blue.")


class Described(TypedDict):
    """What a classifier's file says of itself."""

    config: dict[str, Any]
    notes: dict[str, Any]


class _Conv(nn.Module):
    """A 3 x 3 convolution, a batch norm and a ReLU."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)).relu()

    def fold(self) -> None:
        """Takes the batch norm into the convolution."""
        assert isinstance(self.norm, nn.BatchNorm2d)
        self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()


class Classifier(nn.Module):
    """``x -> conv -> 3 x (strided conv, x + conv(conv(x))) -> mean -> linear``.

    As shallow as it may be: what it sees of a picture is limited by the minutes that a person will wait.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = [config.width * factor for factor in (1, 2, 4, 8)]
        self.first = _Conv(3, widths[0], stride=2 if config.size >= LARGE_FROM else 1)
        pairs = list(itertools.pairwise(widths))
        self.halve = nn.ModuleList(_Conv(inputs, outputs, stride=2) for inputs, outputs in pairs)
        self.refine = nn.ModuleList(nn.Sequential(_Conv(w, w), _Conv(w, w)) for w in widths[1:])
        self.head = nn.Linear(widths[-1], len(config.classes))

    def features(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """The mean over the last map."""
        x = self.first(x)
        for halve, refine in zip(self.halve, self.refine, strict=True):
            x = halve(x)
            x = x + refine(x)
        return x.mean((2, 3))

    def forward(self, x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k"]:
        return self.head(self.features(x))

    def fold(self) -> list[nn.Conv2d]:
        """Takes every batch norm into its convolution; gives the convolutions in their order."""
        self.eval()
        pairs = zip(self.halve, self.refine, strict=True)
        parts = [self.first, *(part for halve, refine in pairs for part in (halve, *refine.children()))]
        folded = []
        for part in parts:
            assert isinstance(part, _Conv)
            part.fold()
            folded.append(part.conv)
        return folded


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A classifier and what is known of it."""

    config: Config
    module: Classifier
    notes: dict[str, Any] = field(default_factory=dict)  # How it was trained and how well it does.


class OwnClassifier(Network):
    """A trained classifier as a feature network."""

    def __init__(
        self,
        trained: Trained,
        *,
        sha256: str,
        device: torch.device | str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        self.device, self._dtype, self.config = torch.device(device), dtype_of(precision), trained.config
        resize = f"{BICUBIC}-{trained.config.size}"
        self.identity = identity_of("classifier", sha256=sha256, resize=resize, precision=precision)
        module = copy.deepcopy(trained.module)
        module.fold()
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._module = module.to(self.device, self._dtype)
        classes = len(trained.config.classes)
        self.taps = {"features": 8 * trained.config.width, "logits": classes, "channel_logits": 3 * classes}

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        if set(taps) != {"channel_logits"}:
            found["features"], found["logits"] = self._seen(pictures)
        if "channel_logits" in taps:
            channels = [self._seen(pictures[:, [index]].expand(-1, 3, -1, -1))[1] for index in range(3)]
            found["channel_logits"] = torch.cat(channels, 1)
        return found

    def _seen(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits of RGB pictures."""
        x = standardised(bicubic(pictures, self.config.size), self.config)
        features = self._module.features(x.to(self._dtype, memory_format=torch.channels_last)).float()
        head = self._module.head
        return features, F.linear(features, head.weight.float(), head.bias.float())


def standardised(x: Float[Tensor, "n 3 h w"], config: Config) -> Float[Tensor, "n 3 h w"]:
    """Pixels in [0, 255] with the mean and deviation that the classifier was trained on taken off."""
    mean, deviation = (torch.tensor(part, device=x.device)[:, None, None] for part in (config.mean, config.deviation))
    return (x - mean) / deviation


def save(trained: Trained, path: Path) -> None:
    """Writes one safetensors file, atomically."""
    tensors = {name: value.contiguous() for name, value in trained.module.state_dict().items()}
    said = json.dumps({"config": to_plain(trained.config), "notes": trained.notes}, allow_nan=False)
    try:
        with atomic_file(path) as partial:
            save_file(tensors, partial, metadata={FORMAT: said})  # One key: of several the order is chance.
    except SafetensorError as error:  # No OSError, and without the number of most of them.
        raise UserError(f"{path} cannot be written ({error}). Choose a folder that can be written.") from error


def is_classifier(path: Path) -> bool:
    """Whether a file says that it is one of these."""
    return FORMAT in _metadata(path)


def read(path: Path) -> Trained:
    """A classifier from its file.

    Raises:
        UserError: the file is damaged, or of another version.
    """
    advice = "It is damaged: train it again."
    where = f"{path} (its description)"
    said = require(Described, parse(_metadata(path).get(FORMAT, ""), where, advice=advice), where, advice=advice)
    try:
        config = from_plain(Config, said["config"])
        module = Classifier(config)
        module.load_state_dict(read_tensors(path))
    except UserError:
        raise
    except (RuntimeError, MemoryError, OverflowError):
        raise UserError(
            f"{path} is a damaged classifier: its tensors do not fit its description. Train it again."
        ) from None
    notes = said["notes"]
    return Trained(config=config, module=module.eval(), notes=notes)


def load(path: Path, *, device: torch.device, precision: Precision = "float32") -> OwnClassifier:
    """A classifier's file as a feature network."""
    return OwnClassifier(read(path), sha256=content_hash(path), device=device, precision=precision)


def initialise(module: Classifier, generator: torch.Generator) -> None:
    """He's weights for the convolutions; each residual ends in a gain of zero, so that it starts as the identity."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_in = part.weight[0].numel()
            nn.init.normal_(part.weight, 0, math.sqrt(2 / fan_in), generator=generator)
    for refine in module.refine:
        nn.init.zeros_(refine[1].norm.weight)  # type: ignore[union-attr,index]
    nn.init.normal_(module.head.weight, 0, 0.01, generator=generator)
    nn.init.zeros_(module.head.bias)


def _metadata(path: Path) -> dict[str, str]:
    """The metadata in a safetensors file's header; empty for any other file."""
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8 or not 2 <= (length := struct.unpack("<Q", start)[0]) <= MOST_HEADER_BYTES:
            return {}
        try:
            header = parse(file.read(length), str(path))
        except UserError:
            return {}
    found = header.get("__metadata__") if isinstance(header, dict) else None
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
