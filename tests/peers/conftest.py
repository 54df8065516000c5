"""The same metrics by other libraries: ``make peers`` installs them and runs these tests.

Without a library, the tests against it are skipped and say so. Both sides get one file of random weights of
Inception-v3 and the same pictures, so nothing is downloaded. The pictures are those of GANVAS_TEST_DATA, where it is
set, and made up otherwise.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    import peers_inputs
    import torch

HERE = Path(__file__).parent
N = 32  # Pictures on each side.
sys.path.insert(0, str(HERE))  # For `peers_inputs`, which the table of docs/parity.md is made with too.

if importlib.util.find_spec("torchvision"):
    from peers_inputs import declare_operators

    declare_operators()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all of this folder; warnings are the peers' own affair."""
    for item in items:
        if item.nodeid.startswith("tests/peers/"):
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
def sides() -> "peers_inputs.Sides":
    """Reals, and fakes of which every other one is of another kind."""
    import peers_inputs

    data = os.environ.get("GANVAS_TEST_DATA")
    return peers_inputs.sides(N, Path(data) if data else None)


@pytest.fixture(scope="session")
def pictures(sides: "peers_inputs.Sides") -> dict[str, "torch.Tensor"]:
    """The same by name: bytes, RGB."""
    return {"reals": sides.reals, "fakes": sides.fakes}


@pytest.fixture(scope="session")
def folders(sides: "peers_inputs.Sides", tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The pictures as files. Read only: tests share them."""
    import peers_inputs

    return Folders(*peers_inputs.write_folders(sides, tmp_path_factory.mktemp("pictures")))


@pytest.fixture(scope="session")
def weights(sides: "peers_inputs.Sides", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of Inception-v3, in the layout that torch-fidelity and pytorch-fid publish theirs in."""
    pytest.importorskip("torch_fidelity", reason="needs torch-fidelity: make peers")
    import peers_inputs

    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    peers_inputs.write_weights(sides, path)
    return path


@pytest.fixture(scope="session")
def theirs(pictures: dict[str, "torch.Tensor"], weights: Path) -> dict[str, Rows]:
    """What torch-fidelity's Inception says of the pictures."""
    import peers_inputs
    import torch

    network = peers_inputs.fidelity_network(weights)
    with torch.no_grad():
        return {name: Rows(*_joined(network(few) for few in batch.split(16))) for name, batch in pictures.items()}


def _joined(parts: Any) -> Iterator["torch.Tensor"]:
    import torch

    return (torch.cat(tap) for tap in zip(*parts, strict=True))


@pytest.fixture(scope="session")
def ours(pictures: dict[str, "torch.Tensor"], weights: Path) -> dict[str, Rows]:
    """What Ganvas's Inception says of the pictures."""
    from ganvas.features import network_catalogue

    network = network_catalogue.load("inception", weights=weights, trust=True)
    return {name: Rows(**network.extract(batch, ["features", "logits"])) for name, batch in pictures.items()}


@pytest.fixture
def off() -> Any:
    """How far two rows of numbers are apart, relative to their length: the largest of all rows."""

    def largest(found: "torch.Tensor", expected: "torch.Tensor") -> float:
        apart = (found.double() - expected.double()).flatten(1).norm(dim=1)
        return float((apart / expected.double().flatten(1).norm(dim=1)).max())

    return largest
