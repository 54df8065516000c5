"""``ganvas rewrite`` of networks that draw random numbers, return more than tensors, or meet a full disk."""

import errno
from pathlib import Path

import onnx
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.tasks.networks.rewrite import Rewrite, rewrite

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # Of torch.export to itself.

CODE = """
import torch
from torch import nn
from torch.utils import _pytree


class Cache:
    def __init__(self, held): self.held = held


class Net(nn.Module):
    def __init__(self, end):
        super().__init__()
        self.layer, self.end = nn.Conv2d(3, 4, 3), end
    def forward(self, x): return self.end(self.layer(x))


def plain(): return Net(torch.relu)
def draws(): return Net(lambda y: y + torch.randn_like(y))
def texts(): return Net(lambda y: {"features": y, "task": "segmentation"})
def cached(): return Net(lambda y: (y, Cache(y)))
def squeezed(): return Net(lambda y: y.squeeze(1))
"""


@pytest.fixture
def code(tmp_path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "odd_nets.py").write_text(CODE)
    return folder / "odd_nets.py"


def refused(code, name, out):
    with pytest.raises(UserError) as refusal:
        rewrite(Rewrite(model=f"{code}:{name}", input=("1,3,6,6",), out=out))
    assert not out.exists()
    assert {path.name for path in out.parent.iterdir()} <= {"code"}
    return str(refusal.value)


def test_what_a_network_draws_is_drawn_alike_by_the_program_and_its_file(tmp_path, code):
    out = tmp_path / "net.pt2"
    assert rewrite(Rewrite(model=f"{code}:draws", input=("1,3,6,6",), out=out)).largest_difference < 1e-5
    a, b = (torch.export.load(out).module()(torch.zeros(1, 3, 6, 6)) for _ in range(2))
    assert not torch.equal(a, b)


@pytest.mark.slow
def test_an_onnx_file_of_a_network_that_draws_is_refused_with_the_reason(tmp_path, code):
    assert "draws random numbers: two passes over one input differ" in refused(code, "draws", tmp_path / "net.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["pt2", "onnx"])
def test_text_beside_tensors_is_named(tmp_path, code, ending):
    assert "its output holds 'segmentation' beside tensors" in refused(code, "texts", tmp_path / f"net.{ending}")


def test_an_output_of_a_type_that_torch_does_not_know_is_named(tmp_path, code):
    said = refused(code, "cached", tmp_path / "net.pt2")
    assert "its output holds a odd_nets.Cache, which torch.export does not know" in said
    assert "Give the input" not in said


@pytest.mark.slow
def test_what_onnxruntime_cannot_load_is_refused(tmp_path, code):
    said = refused(code, "squeezed", tmp_path / "net.onnx")
    assert "onnxruntime cannot run this network" in said
    assert ".partial-" not in said
    assert "A .pt2 file can hold it" in said


def test_a_full_disk_is_an_error_like_others_and_leaves_nothing(tmp_path, code, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "space" in refused(code, "plain", tmp_path / "net.pt2")


def labels(path):
    model = onnx.load(path)
    values = [*model.graph.input, *model.graph.output]
    sizes = [[dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values]
    facts = {entry.key: entry.value for entry in model.metadata_props}
    return {value.name: size for value, size in zip(values, sizes, strict=True)}, facts


TINY = ("resolution=16", "latent_size=8", "features=4")


@pytest.mark.slow
def test_an_onnx_file_of_a_generator_says_what_goes_in_and_comes_out(tmp_path):
    out = tmp_path / "net.onnx"
    rewrite(Rewrite(model="gan/dcgan", set=TINY, out=out, any_batch=True))
    sizes, facts = labels(out)
    assert sizes == {"z": ["batch", 8], "images": ["batch", 3, 16, 16]}
    assert facts["network"] == "gan/dcgan:generator"
    assert facts["pixel_range"].startswith("[-1, 1]")
    assert "normal" in facts["latents"]


@pytest.mark.slow
def test_an_onnx_file_of_a_discriminator_reads_images_and_gives_scores(tmp_path):
    out = tmp_path / "net.onnx"
    rewrite(Rewrite(model="gan/dcgan:discriminator", set=TINY, out=out))
    sizes, facts = labels(out)
    assert list(sizes) == ["images", "scores"]
    assert "latents" not in facts


@pytest.mark.slow
def test_an_onnx_file_of_somebody_elses_network_claims_nothing_of_pixels(tmp_path, code):
    out = tmp_path / "net.onnx"
    rewrite(Rewrite(model=f"{code}:plain", input=("1,3,6,6",), out=out))
    sizes, facts = labels(out)
    assert "images" not in sizes
    assert set(facts) == {"network", "weights"}


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", ["1e-8", "1e-12"])
def test_a_small_epsilon_under_a_root_is_kept(tmp_path, epsilon):
    (tmp_path / "code").mkdir()
    nets = tmp_path / "code" / "rooted.py"
    nets.write_text(
        "import torch\nfrom torch import nn\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.layer = nn.Conv2d(3, 4, 3)\n"
        f"    def forward(self, x):\n        y = self.layer(x)\n        return ((y - y) + {epsilon}).sqrt()\n"
    )
    out = tmp_path / "net.onnx"
    found = rewrite(Rewrite(model=f"{nets}:Net", input=("1,3,6,6",), out=out))
    assert found.largest_output == pytest.approx(float(epsilon) ** 0.5, rel=1e-5)
