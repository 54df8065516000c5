"""What both sides are given: pictures, and one file of random weights of Inception-v3. Nothing is downloaded."""

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

LEARNED = 0.2  # How much batch norms know of what they would learn of the pictures.
LAST_GAIN = 8.0  # Of the last block: its features are then about 1, and kernels of them differ by more than rounding.


class Sides(NamedTuple):
    """Two sets of pictures, bytes, (n, 3, h, w), and what they are."""

    reals: Tensor
    fakes: Tensor
    said: str


def declare_operators() -> None:
    """torchvision's wheels are built for CUDA builds of torch; beside a CPU build two of its operators are missing.

    Nothing here uses them, but without their names torchvision cannot be imported.
    """
    if torch.version.cuda is not None:
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.modules[__name__].__dict__["_kept"] = library  # The declaration lives as long as the object.


def sides(n: int, data: Path | None) -> Sides:
    """Real pictures where a folder of them is given, made-up ones elsewhere; every other fake is of another kind."""
    return _made(n) if data is None else _real(n, data)


def _made(n: int, size: int = 64) -> Sides:
    found = []
    for seed, noise in enumerate((10, 11)):
        rng = torch.Generator().manual_seed(seed)
        shapes = F.interpolate(torch.rand(n, 3, 6, 6, generator=rng), size=size, mode="bilinear")
        found.append((255 * shapes + noise * torch.randn(shapes.shape, generator=rng)).clamp(0, 255).to(torch.uint8))
    found[1][::2] = 255 - found[1][::2] // 3  # Every other fake is pale.
    return Sides(*found, f"{n} soft shapes of {size} x {size} pixels, and {n} of which every other one is pale")


def _real(n: int, data: Path) -> Sides:
    photos = torch.stack(first(data / "cifar10-jpg.tar.xz", _photo, 2 * n))
    emoji = F.avg_pool2d(torch.stack(first(data / "noto-emoji-128.tar.xz", _png, (n + 1) // 2)).float(), 4)
    photos = photos[torch.randperm(2 * n, generator=torch.Generator().manual_seed(0))]  # All classes on both sides.
    reals, fakes = photos[:n], photos[n:].clone()
    fakes[::2] = emoji.round().to(torch.uint8)
    said = f"{n} photographs of CIFAR-10, and {n} pictures of which every other one is an emoji; 32 x 32 pixels"
    return Sides(reals, fakes, said)


def _photo(name: str) -> bool:
    """The first forty of each class."""
    return name.endswith(".jpg") and name.startswith("test/") and int(name.rpartition("/")[2][:4]) < 40


def _png(name: str) -> bool:
    return name.endswith(".png")


def first(archive: Path, wanted: Callable[[str], bool], n: int) -> list[Tensor]:
    """The first pictures of an archive, spread over the first 400 that are wanted; transparent ones on white."""
    found: list[Tensor] = []
    with tarfile.open(archive, "r|xz") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() and wanted(member.name) else None
            if file is None:
                continue
            picture = Image.open(io.BytesIO(file.read())).convert("RGBA")
            white = Image.new("RGBA", picture.size, "white")
            found.append(torch.from_numpy(np.array(Image.alpha_composite(white, picture).convert("RGB"))))
            if len(found) == 400:
                break
    return [picture.permute(2, 0, 1) for picture in found[:: len(found) // n][:n]]


def write_folders(pictures: Sides, root: Path) -> tuple[Path, Path]:
    """The two sets as folders of PNGs."""
    for name in ("reals", "fakes"):
        (root / name).mkdir()
        for index, picture in enumerate(getattr(pictures, name)):
            Image.fromarray(picture.permute(1, 2, 0).numpy()).save(root / name / f"{index:03d}.png")
    return root / "reals", root / "fakes"


def write_weights(pictures: Sides, path: Path) -> None:
    """Random weights of Inception-v3 under the names that torch-fidelity and pytorch-fid publish theirs.

    Batch norms know a part of what they would learn of these pictures. With nothing learned, all pictures look nearly
    alike to the network; with all of it, it is chaotic, and amplifies the rounding of float32 a hundred times.
    """
    tensors = _drawn()
    torch.save(tensors, path)
    network = fidelity_network(path)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train()
            module.momentum = LEARNED
    with torch.no_grad():
        network(torch.cat([pictures.reals[:6], pictures.fakes[:6]]))
    state = network.state_dict()
    torch.save({name: state[name] for name in tensors}, path)


def _drawn() -> dict[str, Tensor]:
    from ganvas.features.inception_layers import LAYERS

    rng = torch.Generator().manual_seed(0)
    tensors = {}
    for name, layer in LAYERS.items():
        shape = (layer.outputs, layer.inputs, *layer.kernel)
        deviation = (2 / (layer.inputs * layer.kernel[0] * layer.kernel[1])) ** 0.5
        gain = LAST_GAIN if name.startswith("Mixed_7c") else 1.0
        tensors[f"{name}.conv.weight"] = torch.randn(shape, generator=rng) * deviation
        tensors[f"{name}.bn.weight"] = gain * (torch.rand(layer.outputs, generator=rng) + 0.5)
        tensors[f"{name}.bn.bias"] = torch.randn(layer.outputs, generator=rng) * 0.1
        tensors[f"{name}.bn.running_mean"] = torch.zeros(layer.outputs)
        tensors[f"{name}.bn.running_var"] = torch.ones(layer.outputs)
    tensors["fc.weight"] = torch.randn(1008, 2048, generator=rng)
    tensors["fc.bias"] = torch.randn(1008, generator=rng)
    return tensors


def fidelity_network(weights: Path) -> Any:
    """torch-fidelity's Inception."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    taps = ["2048", "logits_unbiased"]
    return FeatureExtractorInceptionV3("inception", taps, feature_extractor_weights_path=str(weights))


def float64_networks(weights: Path) -> tuple[Any, Any]:
    """torch-fidelity's Inception and ours, computing in float64, so that nothing is left but what they define."""
    from ganvas.features import inception, network_catalogue

    theirs = fidelity_network(weights).double()
    theirs.feature_extractor_internal_dtype = torch.float64  # Its own switch takes "float64" for float32.
    with mock.patch.object(inception, "dtype_of", return_value=torch.float64):
        return theirs, network_catalogue.load("inception", weights=weights, trust=True)


def pytorch_fid_network(weights: Path, **how: Any) -> Any:
    """pytorch-fid's Inception, which reads this file where it would fetch the published one."""
    from pytorch_fid import inception

    fetch, inception.load_state_dict_from_url = inception.load_state_dict_from_url, lambda *_, **__: torch.load(weights)
    try:
        return inception.InceptionV3(**how).eval()
    finally:
        inception.load_state_dict_from_url = fetch
