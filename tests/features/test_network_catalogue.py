import ast
import subprocess
import sys

import pytest
import torch

from ganvas.core import catalogue
from ganvas.core.errors import UserError
from ganvas.features import network_catalogue
from ganvas.features.weights import WeightsMissing

WEIGHTLESS = [entry.name for entry in network_catalogue.entries() if entry.release is None]
COMPARE = ("lpips_vgg16",)  # Give distances of pairs of pictures, and no rows.
WEIGHTED = [entry.name for entry in network_catalogue.entries() if entry.release is not None]


@pytest.mark.parametrize("entry", network_catalogue.entries(), ids=lambda entry: entry.name)
def test_a_network_is_named_as_its_file_and_says_what_it_sees_with_a_link(entry):
    source = (catalogue.PACKAGE / "features" / f"{entry.name}.py").read_text(encoding="utf-8")
    assert entry.summary
    assert entry.link.startswith("https://")
    assert entry.taps or entry.name in COMPARE
    assert any(isinstance(node, ast.FunctionDef) and node.name == "build" for node in ast.parse(source).body)


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_release_has_a_whole_hash_a_licence_and_an_https_address(name):
    release = network_catalogue.entry(name).release
    assert len(release.sha256) == 64
    assert int(release.sha256, 16) > 0
    assert release.url.startswith("https://")
    assert release.url.endswith(release.file)
    assert release.licence
    for published in (release.file, release.url):  # Files that carry a part of their hash carry this one's.
        digits = [part for part in published.replace("/", "-").replace(".", "-").split("-") if len(part) in (8, 64)]
        hashes = [part for part in digits if all(c in "0123456789abcdef" for c in part)]
        assert all(release.sha256.startswith(part) for part in hashes)


@pytest.mark.parametrize("name", WEIGHTLESS)
def test_a_network_without_weights_keeps_the_contract(name, pictures):
    network = network_catalogue.load(name)
    assert dict(network.taps) == network_catalogue.entry(name).taps
    rows = network.extract(pictures, list(network.taps))
    grey = network.extract(pictures[:2, :1], list(network.taps))
    for tap, length in network.taps.items():
        assert rows[tap].shape == (5, length)
        assert grey[tap].shape == (2, length)
        assert rows[tap].dtype == torch.float32
    with pytest.raises(UserError, match="has no weights"):
        network_catalogue.load(name, weights=catalogue.PACKAGE / "__init__.py")


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_network_whose_weights_are_not_here_says_how_to_get_them(name, monkeypatch):
    monkeypatch.delenv(f"GANVAS_WEIGHTS_{name.upper()}", raising=False)
    with pytest.raises(WeightsMissing, match=f"ganvas features fetch {name}"):
        network_catalogue.load(name)


def test_an_unknown_network_is_an_error_with_the_nearest_known():
    with pytest.raises(UserError, match=r"There is no feature network 'inceptoin'\. Did you mean 'inception'"):
        network_catalogue.load("inceptoin")


def test_a_path_where_no_file_is_is_called_so():
    with pytest.raises(UserError, match="there is no such file"):
        network_catalogue.load("runs/mine.safetensors")


def test_the_list_is_read_without_torch():
    program = (
        "import sys; from ganvas.tasks.catalogues.features import List, list_networks; found = list_networks(List()); "
        "assert len(found.networks) >= 6, found; assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
