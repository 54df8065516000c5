"""Files of weights as the other libraries' own modules write them: each is one network here."""

import peers_inputs
import pytest
import torch

from ganvas.features import network_catalogue
from ganvas.features.inception import named
from ganvas.features.tensors import read_tensors


@pytest.fixture(scope="module")
def tensors(weights):
    """Of the published layout, under our names."""
    return named(read_tensors(weights))


def kept(state, path):
    torch.save(state, path)
    return path


def require_equal(path, expected, *, classes):
    found = named(read_tensors(path))
    assert found.keys() == expected.keys() - (set() if classes else {"fc.weight"})
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_torch_fidelitys_module(weights, tensors, tmp_path):
    require_equal(kept(peers_inputs.fidelity_network(weights).state_dict(), tmp_path / "w.pth"), tensors, classes=True)


def test_pytorch_fids_module_and_the_network_under_it(weights, tensors, tmp_path, pictures, off):
    pytest.importorskip("pytorch_fid", reason="needs pytorch-fid: make peers")
    network = peers_inputs.pytorch_fid_network(weights, resize_input=False, normalize_input=False)
    path = kept(network.state_dict(), tmp_path / "blocks.pth")
    require_equal(path, tensors, classes=False)
    # Its own forward pass of pictures that we have resized: the names are at their right places.
    ours = network_catalogue.load("inception", weights=path, trust=True)
    few = pictures["reals"][:2]
    with torch.no_grad():
        (their,) = network((ours._resized(few, 299) - 128) / 128)
    assert off(ours.extract(few)["features"], their.flatten(1)) < 1e-5
    assert set(ours.taps) == {"features", "spatial"}


def test_the_module_that_pytorch_fid_reads_its_release_with(weights, tensors, tmp_path):
    inception = pytest.importorskip("pytorch_fid.inception", reason="needs pytorch-fid: make peers")
    plain = inception.fid_inception_v3
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inception, "load_state_dict_from_url", lambda *_, **__: torch.load(weights))
        network = plain()
    require_equal(kept(network.state_dict(), tmp_path / "w.pth"), tensors, classes=True)


@pytest.mark.parametrize("auxiliary", [True, False])
def test_torchvisions_module_with_its_1000_classes(weights, tensors, tmp_path, auxiliary):
    torchvision = pytest.importorskip("torchvision", reason="needs torchvision: make peers")
    network = torchvision.models.inception_v3(weights=None, aux_logits=auxiliary, init_weights=False)
    thousand = {name: value[:1000] if name.startswith("fc.") else value for name, value in torch.load(weights).items()}
    missing, unknown = network.load_state_dict(thousand, strict=False)
    assert not unknown
    assert all(name.startswith("AuxLogits.") or name.endswith("num_batches_tracked") for name in missing)
    path = kept(network.state_dict(), tmp_path / "w.pth")
    require_equal(path, tensors | {"fc.weight": tensors["fc.weight"][:1000]}, classes=True)
    assert network_catalogue.load("inception", weights=path, trust=True).taps["logits"] == 1000


def test_a_torchscript_archive_of_their_layers(weights, tensors, tmp_path):
    layer = peers_inputs.fidelity_network(weights).Conv2d_1a_3x3
    with torch.no_grad():
        torch.jit.trace(layer, torch.zeros(1, 3, 20, 20)).save(tmp_path / "w.pt")
    found = read_tensors(tmp_path / "w.pt")
    assert torch.equal(found["conv.weight"], tensors["Conv2d_1a_3x3.conv.weight"])
    assert torch.equal(found["bn.running_var"], tensors["Conv2d_1a_3x3.bn.running_var"])
