"""Networks found by what a person calls them."""

import json
import warnings

import pytest
import torch
from torch import nn

from ganvas.anatomy.loading.load import load
from ganvas.anatomy.loading.random_weights import with_weights
from ganvas.anatomy.trace.trace import trace
from ganvas.core.config import to_plain
from ganvas.core.errors import UserError
from ganvas.models.gan import progan
from ganvas.nn.layers.initialise import start_unset
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.spectral_norm import SpectralNorm

CODE = """
import torch
from torch import nn
INPUT = {"net": (3, 8, 8)}
def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
def picky(width):
    return net()
def values():
    layer = nn.Linear(2, 2)
    assert layer.weight.sum().item() == layer.weight.sum().item()
    return layer
def raises():
    raise ValueError("of my own.")
def calls():
    return picky()
number = 3
ready = nn.Linear(2, 3)
"""


TRAINED = """
import warnings
from pathlib import Path
import torch
from torch import nn
def net():
    net = nn.Linear(2, 2)
    net.load_state_dict(torch.load(Path(__file__).parent / "weights.pt"))
    warnings.warn("of my own")
    return net
"""


@pytest.fixture
def nets(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text(CODE)
    return file


def test_a_model_of_the_catalogue_is_built_without_memory_with_its_settings():
    loaded = load("gan/progan", changes={"resolution": "1024"})
    assert loaded.name == "gan/progan:generator"
    assert loaded.inputs == ((1, 512),)
    assert all(p.is_meta for p in loaded.model.parameters())
    assert load("gan/progan:discriminator", changes={"resolution": 1024}).inputs == ((1, 3, 1024, 1024),)
    assert load("gan/progan", part="discriminator", preset="cifar10").inputs == ((1, 3, 32, 32),)


def test_a_conditional_generator_takes_classes_too():
    loaded = load("gan/progan", changes={"num_classes": "10"})
    graph = trace(loaded.model, *loaded.inputs)
    assert graph.failed is None
    assert graph.input_shapes == ((1, 512), (1,))


@pytest.mark.slow
def test_fused_layers_are_taken_apart_as_papers_write_them_unless_asked_for():
    ops = [
        [node.op for node in trace(load("gan/progan", fused=fused).model, (1, 512)).nodes] for fused in (False, True)
    ]
    assert ("interpolate" in ops[0], "conv_transpose2d" in ops[0]) == (True, False)
    assert ("interpolate" in ops[1], "conv_transpose2d" in ops[1]) == (False, True)


def test_a_classic_network_is_found_by_its_name():
    loaded = load("resnet50")
    assert loaded.inputs == ((1, 3, 224, 224),)
    assert all(p.is_meta for p in loaded.model.parameters())


def test_code_of_ones_own_is_found_by_file_or_by_module(nets, monkeypatch):
    loaded = load(f"{nets}:net")
    assert (loaded.inputs, len(list(loaded.model.parameters()))) == (((1, 3, 8, 8),), 2)
    monkeypatch.syspath_prepend(str(nets.parent))
    assert isinstance(load("nets:net").model, nn.Sequential)
    assert load("nets:ready").model.out_features == 3
    assert isinstance(load("nets:net", part="0").model, nn.Conv2d)
    assert load("torch.nn:Identity").inputs is None


def test_a_network_that_needs_values_to_be_built_gets_them_and_nobodys_random_numbers(nets):
    state = torch.random.get_rng_state()
    assert not load(f"{nets}:values").model.weight.is_meta
    once, again = (load(f"{nets}:net", values=True).model[0].weight for _ in range(2))
    assert torch.equal(once, again)
    assert torch.equal(state, torch.random.get_rng_state())


LOADED = """
import torch
from torch import nn
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.spectral_norm import SpectralNorm

def trained():
    net = nn.Sequential(Conv2d(1, 2, 1), SpectralNorm(Conv2d(2, 1, 1)), nn.Conv2d(1, 1, 1))
    net.load_state_dict({name: torch.full_like(value, 2.0) for name, value in net.state_dict().items()})
    return net

def half():
    net = nn.Sequential(Conv2d(1, 2, 1), Conv2d(2, 1, 1))
    net[0].load_state_dict({name: torch.full_like(value, 2.0) for name, value in net[0].state_dict().items()})
    return net

class Reset(nn.Conv2d):
    def __init__(self):
        super().__init__(1, 1, 1)
    def reset(self):
        raise AssertionError("somebody else's reset is another matter")

ready = nn.Conv2d(1, 1, 1)
"""


def test_weights_that_a_persons_code_loaded_are_kept_and_only_unset_ones_are_drawn(tmp_path):
    (tmp_path / "mine.py").write_text(LOADED)
    for seed in (0, 1):
        model = with_weights(load(f"{tmp_path / 'mine.py'}:trained"), seed=seed)
        own = [value for name, value in model.state_dict().items() if not name.startswith("2")]
        assert all((value == 2).all() for value in own)
        half = with_weights(load(f"{tmp_path / 'mine.py'}:half"), seed=seed)
        assert (half[0].weight == 2).all()
        assert half[1].weight.isfinite().all()
    assert with_weights(load(f"{tmp_path / 'mine.py'}:Reset")).weight.isfinite().all()


def test_the_vectors_of_a_spectral_norm_follow_a_weight_that_was_unset():
    norm = SpectralNorm(Conv2d(4, 3, 3))
    other = nn.Sequential(norm, nn.Conv2d(3, 1, 1))
    start_unset(other, torch.Generator().manual_seed(0))
    # Fifteen steps of the power method from any direction come near the first singular value of a 3 x 36 matrix.
    largest = torch.linalg.matrix_norm(norm.layer.weight.flatten(1), 2)
    assert norm.power.sigma().item() == pytest.approx(largest.item(), rel=0.02)
    before = norm.power.u.clone()
    start_unset(other, torch.Generator().manual_seed(1))
    assert torch.equal(norm.power.u, before)


def test_whose_weights_they_are_is_said_as_far_as_it_can_be_known(tmp_path):
    (tmp_path / "mine.py").write_text(LOADED)
    mine = f"{tmp_path / 'mine.py'}"
    assert load("gan/dcgan").fresh
    assert load("resnet18").fresh
    assert not load(f"{mine}:trained").fresh
    assert load(f"{mine}:trained").whose == "as mine.py:trained gives them"
    assert load(f"{mine}:ready").whose == "as mine.py:ready holds them"


def test_values_fill_ganvas_own_layers_too():
    model = load("vae/vae", values=True).model
    assert not any(p.isnan().any() for p in model.parameters())


def test_a_run_is_its_networks_settings(tmp_path):
    config = to_plain(progan.Config(resolution=64, latent_size=32))
    (tmp_path / "run.json").write_text(json.dumps({"model": "gan/progan", "config": config}))
    assert load(str(tmp_path)).inputs == ((1, 32),)
    assert load(f"{tmp_path}:discriminator").inputs == ((1, 3, 64, 64),)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UserError, match="is not whole JSON"):
        load(str(tmp_path))


class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x))) + x


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pt2", "pt"])
def test_an_exported_file_says_the_same_as_its_network(kind, tmp_path):
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Part(), nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.Flatten())
    net = nn.Sequential(*net, nn.Linear(4 * 16 * 16, 5)).eval()
    path = tmp_path / f"net.{kind}"
    with warnings.catch_warnings(action="ignore"):
        if kind == "pt2":
            torch.export.save(torch.export.export(net, (torch.zeros(1, 3, 8, 8),)), path)
        else:
            torch.jit.script(net).save(path)
        loaded = load(str(path))
    if kind == "pt2":
        assert [tuple(t.shape) for t in loaded.inputs] == [(1, 3, 8, 8)]
    graph, own = trace(loaded.model, (1, 3, 8, 8)), trace(net, (1, 3, 8, 8))
    for name in ("op", "inputs", "shape", "macs", "macs_backward"):
        assert [getattr(n, name) for n in graph.nodes] == [getattr(n, name) for n in own.nodes]
    assert [dict(n.parameters).keys() for n in graph.nodes] == [dict(n.parameters).keys() for n in own.nodes]
    assert {n.module for n in own.nodes if n.parameters} <= {n.module for n in graph.nodes}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("progan", "Did you mean 'gan/progan'"),
        ("gan/progam", "Did you mean 'gan/progan'"),
        ("resnet51", "Did you mean 'resnet50'"),
        ("gan/progan:generater", "Did you mean 'generator'"),
        ("nowhere.at.all:net", "no module 'nowhere.at.all'"),
        ("torch.nn:Conv2", "Did you mean 'Conv2d'"),
        ("torch.nn:Conv2d", "missing 3 required positional arguments.* write a function that fills them in"),
        ("math:pi", "is a float"),
        ("math:gcd", "makes a int"),
        ("gone.py:net", "no file or folder"),
        ("gone.pt2", "no file or folder"),
    ],
)
def test_what_is_not_there_is_said_with_what_would_do(spec, said):
    with pytest.raises(UserError, match=said):
        load(spec)


def test_an_error_of_a_persons_own_code_comes_without_advice_that_does_not_fit(nets):
    with pytest.raises(UserError, match=r"cannot be made: ValueError: of my own\.$"):
        load(f"{nets}:raises")
    with pytest.raises(
        UserError, match=r"cannot be made: TypeError: .*missing 1 required positional argument: 'width'\.$"
    ):
        load(f"{nets}:calls")  # The call that lacks something is in its own code.


def test_loading_a_checkpoint_warns_of_nothing_where_only_shapes_are_asked_for(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "weights.pt")
    (tmp_path / "trained.py").write_text(TRAINED)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        loaded = load(f"{tmp_path / 'trained.py'}:net")
    assert [str(each.message) for each in said] == ["of my own"]
    assert next(loaded.model.parameters()).is_meta


def test_a_file_that_is_no_network_is_refused(tmp_path, nets):
    for name in ("weights.pt", "weights.pt2"):
        (tmp_path / name).write_bytes(b"no network")
        with pytest.raises(UserError, match=name):
            load(str(tmp_path / name))
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(UserError, match="pt2"):
        load(str(tmp_path / "net.onnx"))
    with pytest.raises(UserError, match="NAME"):
        load(str(nets))
    with pytest.raises(UserError, match="not a run"):
        load(str(tmp_path))
    with pytest.raises(UserError, match="--set is for models"):
        load("resnet50", changes={"a": 1})
    (tmp_path / "broken.py").write_text("1 / 0")
    with pytest.raises(UserError, match="ZeroDivisionError"):
        load(f"{tmp_path / 'broken.py'}:net")
