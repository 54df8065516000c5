"""Labellers of the Hugging Face hub: networks for semantic segmentation, such as SegFormer, from a folder of files.

The folder is what ``save_pretrained`` of the package transformers writes: ``config.json``, ``model.safetensors`` and,
where there is one, ``preprocessor_config.json`` with the size and the colours that the network was trained on. Nothing
is downloaded, no code of the folder runs, and weights are read from safetensors alone.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json
from ganvas.core.shapes import Images
from ganvas.data.cache import hash_file
from ganvas.dissect.labellers.labeller import Beliefs, LabelMaps

CONFIG, WEIGHTS, PREPARATION = "config.json", "model.safetensors", "preprocessor_config.json"
KIND = "ForSemanticSegmentation"  # How the package names such networks.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # Of ImageNet's colours, where a folder names no others.
SIDE = 512  # SegFormer's, where a folder names none.
AT_ONCE = 8  # Pictures.
MOST_LABELS = 256  # A dissection keeps the number of a pixel's label in a byte.


def is_hub_segmenter(folder: Path) -> bool:
    """Whether a folder holds a network for semantic segmentation in the layout of the hub."""
    if not (folder / CONFIG).is_file():
        return False
    described = read_json(folder / CONFIG)
    named = described.get("architectures") if isinstance(described, dict) else None
    return isinstance(named, list) and any(str(name).endswith(KIND) for name in named)


@dataclass(frozen=True, kw_only=True, eq=False)
class HubSegmenter:
    """A labeller that is a network of the hub."""

    network: nn.Module
    identity: str
    labels: tuple[str, ...]
    side: int  # Pixels of the pictures that it is shown.
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def segment(self, images: Images) -> LabelMaps:
        """The number of each pixel's label."""
        with torch.no_grad():
            parts = [self._logits(part).argmax(1) for part in images.split(AT_ONCE)]
        return torch.cat(parts)

    def score(self, images: Images) -> Beliefs:
        """The share of belief of each label, with a gradient to the pictures."""
        return self._logits(images).softmax(1)

    def _logits(self, images: Images) -> Tensor:
        """At the pictures' size, of pictures enlarged to what the network knows."""
        rgb = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
        large = F.interpolate(rgb, size=(self.side, self.side), mode="bilinear", align_corners=False)
        mean, std = (large.new_tensor(values)[:, None, None] for values in (self.mean, self.std))
        logits = self.network(pixel_values=((large + 1) / 2 - mean) / std).logits
        return F.interpolate(logits, size=images.shape[2:], mode="bilinear", align_corners=False)


def load(folder: Path) -> HubSegmenter:
    """The network of a folder.

    Raises:
        UserError: transformers is not installed, or the folder is damaged or without safetensors.
    """
    try:
        package = importlib.import_module("transformers")
    except ImportError:
        raise UserError(
            f"{folder} is a network of the Hugging Face hub, which needs the package transformers. Install it with: "
            "pip install 'ganvas[hub]'."
        ) from None
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} has no {WEIGHTS}: pickled weights are not read. Save it with save_pretrained.")
    try:
        how = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
        network = package.AutoModelForSemanticSegmentation.from_pretrained(str(folder), **how)
    except Exception as error:  # Whatever the package says of a damaged folder.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"{folder} cannot be read as a network for segmentation: {reason}") from None
    names, count = network.config.id2label, network.config.num_labels
    if count > MOST_LABELS:
        raise UserError(f"{folder} tells {count} labels apart, and a dissection {MOST_LABELS} at most. Name another.")
    side, mean, std = _preparation(folder)
    return HubSegmenter(
        network=network.eval().requires_grad_(False),
        identity=f"{folder.name}@{hash_file(folder / WEIGHTS)[:8]}",
        labels=tuple(str(names.get(number, number)) for number in range(count)),
        side=side,
        mean=mean,
        std=std,
    )


def _preparation(folder: Path) -> tuple[int, tuple[float, ...], tuple[float, ...]]:
    """Size and colours that pictures are brought to."""
    described: Any = read_json(folder / PREPARATION) if (folder / PREPARATION).is_file() else {}
    if not isinstance(described, dict):
        raise UserError(f"{folder / PREPARATION} is no object of JSON. Remove it, or restore it.")
    size = described.get("size", SIDE)
    side = size.get("height", size.get("shortest_edge", SIDE)) if isinstance(size, dict) else size
    mean, std = (described.get(name, usual) for name, usual in (("image_mean", MEAN), ("image_std", STD)))
    try:
        found = int(side), tuple(float(value) for value in mean), tuple(float(value) for value in std)
    except (TypeError, ValueError):
        found = 0, (), ()
    if found[0] < 1 or len(found[1]) != 3 or len(found[2]) != 3 or min(found[2]) <= 0:
        raise UserError(f"{folder / PREPARATION}: size, image_mean and image_std must be a number and three each.")
    return found
