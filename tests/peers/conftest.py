"""The same metrics by other libraries: ``make peers`` installs them and runs these tests.

Without a library, the tests against it are skipped and say so. Both sides get one file of random weights of
Inception-v3 and the same pictures, so nothing is downloaded.
"""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    import torch

HERE = Path(__file__).parent
N, SIZE = 32, 64  # Pictures on each side, and their sides.


def _declare_operators() -> None:
    """torchvision's wheels are built for CUDA builds of torch; beside a CPU build two of its operators are missing.

    No test uses them, but without their names torchvision cannot be imported.
    """
    import torch

    if torch.version.cuda is not None:
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.modules[__name__].__dict__["_kept"] = library  # The declaration lives as long as the object.


if importlib.util.find_spec("torchvision"):
    _declare_operators()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all of this folder; warnings are the peers' own affair."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.peers)
            item.add_marker(pytest.mark.filterwarnings("ignore"))


class Rows(NamedTuple):
    """What a network says of a set of pictures."""

    features: "torch.Tensor"
    logits: "torch.Tensor"


class Folders(NamedTuple):
    """PNGs: what is there, and what was generated."""

    reals: Path
    fakes: Path


@pytest.fixture(scope="session")
def pictures() -> dict[str, "torch.Tensor"]:
    """Large soft shapes under a little more noise on one side: bytes, RGB."""
    import torch
    import torch.nn.functional as F

    found = {}
    for seed, (name, noise) in enumerate({"reals": 10, "fakes": 11}.items()):
        rng = torch.Generator().manual_seed(seed)
        shapes = F.interpolate(torch.rand(N, 3, 6, 6, generator=rng), size=SIZE, mode="bilinear")
        noisy = 255 * shapes + noise * torch.randn(shapes.shape, generator=rng)
        found[name] = noisy.clamp(0, 255).to(torch.uint8)
    return found


@pytest.fixture(scope="session")
def folders(pictures: dict[str, "torch.Tensor"], tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The pictures as files. Read only: tests share them."""
    from PIL import Image

    root = tmp_path_factory.mktemp("pictures")
    for name, batch in pictures.items():
        (root / name).mkdir()
        for index, picture in enumerate(batch):
            Image.fromarray(picture.permute(1, 2, 0).numpy()).save(root / name / f"{index:03d}.png")
    return Folders(root / "reals", root / "fakes")


@pytest.fixture(scope="session")
def weights(pictures: dict[str, "torch.Tensor"], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of Inception-v3 under the names that torch-fidelity and pytorch-fid publish theirs.

    Batch norms know half of what they would learn of these pictures. With nothing learned, all pictures look nearly
    alike to the network; with all of it, it is chaotic, and amplifies the rounding of float32 a hundred times.
    """
    pytest.importorskip("torch_fidelity")
    import torch

    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    tensors = _drawn()
    torch.save(tensors, path)
    network = fidelity_network(path)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train()
            module.momentum = 0.5
    with torch.no_grad():
        network(torch.cat([side[:6] for side in pictures.values()]))
    state = network.state_dict()
    torch.save({name: state[name] for name in tensors}, path)
    return path


def _drawn() -> dict[str, "torch.Tensor"]:
    import torch

    from ganvas.features.inception_layers import LAYERS

    rng = torch.Generator().manual_seed(0)
    tensors = {}
    for name, layer in LAYERS.items():
        shape = (layer.outputs, layer.inputs, *layer.kernel)
        deviation = (2 / (layer.inputs * layer.kernel[0] * layer.kernel[1])) ** 0.5
        tensors[f"{name}.conv.weight"] = torch.randn(shape, generator=rng) * deviation
        tensors[f"{name}.bn.weight"] = torch.rand(layer.outputs, generator=rng) + 0.5
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


@pytest.fixture(scope="session")
def theirs(pictures: dict[str, "torch.Tensor"], weights: Path) -> dict[str, Rows]:
    """What torch-fidelity's Inception says of the pictures."""
    import torch

    network = fidelity_network(weights)
    with torch.no_grad():
        return {name: Rows(*_joined(network(few) for few in batch.split(16))) for name, batch in pictures.items()}


def _joined(parts: Any) -> Iterator["torch.Tensor"]:
    import torch

    return (torch.cat(tap) for tap in zip(*parts, strict=True))


@pytest.fixture(scope="session")
def ours(pictures: dict[str, "torch.Tensor"], weights: Path) -> dict[str, Rows]:
    """What Ganvas's Inception says of the pictures."""
    from ganvas.features import shelf

    network = shelf.load("inception", weights=weights, trust=True)
    return {name: Rows(**network.extract(batch, ["features", "logits"])) for name, batch in pictures.items()}


@pytest.fixture
def off() -> Any:
    """How far two rows of numbers are apart, relative to their length: the largest of all rows."""

    def largest(found: "torch.Tensor", expected: "torch.Tensor") -> float:
        apart = (found.double() - expected.double()).flatten(1).norm(dim=1)
        return float((apart / expected.double().flatten(1).norm(dim=1)).max())

    return largest
