"""``ganvas signal``, ``ganvas collapse`` and ``ganvas compare-kernels`` as a person calls them."""

import json
import math

import numpy as np
import pytest
from PIL import Image

from ganvas.cli.main import main
from ganvas.core.errors import UserError
from ganvas.tasks.networks.signal import SignalTask, signal

NET = """
import torch.nn.functional as F
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 3)
    def forward(self, x):
        return self.second(F.relu(self.first(x)))
"""


@pytest.fixture
def net(tmp_path):
    (tmp_path / "net.py").write_text(NET)
    return f"{tmp_path / 'net.py'}:Net"


def called(capsys, *arguments):
    """Exit code, what stdout held as JSON, and stderr."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    out, err = capsys.readouterr()
    return left.value.code, json.loads(out) if out else None, err


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_network_of_a_persons_own_in_numbers_and_a_picture(net, tmp_path, capsys, suffix):
    out = tmp_path / f"signal.{suffix}"
    code, found, said = called(
        capsys, "signal", net, "--input", "1,3,12,12", "--init", "xavier", "--seeds", "2", "-o", str(out), "--quiet"
    )
    assert code == 0
    assert [layer["layer"] for layer in found["layers"]] == ["first", "second"]
    assert found["layers"][0]["activation"] == "relu"
    assert found["layers"][0]["shape"] == [16, 8, 12, 12]
    assert 0 <= found["layers"][0]["dead"] < 1
    assert "first" in said
    assert "spread" in said
    assert out.stat().st_size > 1000
    if suffix == "png":
        with Image.open(out) as image:
            assert image.width > 800


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "tables"), [("80", 2), ("132", 1)])
def test_the_table_fits_the_terminal_with_every_head_and_number_whole(columns, tables, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "def net():\n"
        "    layers = [nn.Conv2d(3, 8, 3), nn.ReLU(), nn.GroupNorm(2, 8), nn.Conv2d(8, 4, 3), nn.Hardtanh()]\n"
        "    return nn.Sequential(nn.Sequential(*layers), nn.Softmax(1), nn.Conv2d(4, 4, 3), nn.Tanh())\n"
    )
    spec = f"{tmp_path / 'net.py'}:net"
    _, found, said = called(
        capsys, "signal", spec, "--input", "1,3,12,12", "--init", "normal:1e-5", "--seeds", "2", "--quiet"
    )
    lines = [line for line in said.splitlines()[1:] if "net.py" not in line]
    assert max(map(len, lines)) <= int(columns)
    words = said.split()
    assert words.count("layer") == tables
    for head in ("gradient", "dead", "saturated", "spread"):
        assert head in words
    assert words.count("*") == 1  # In the words below the table; those in it stand by their number.
    for layer in found["layers"]:
        assert f"{layer['second_moment']:.3g}" in words
        assert f"{layer['gradient']:.3g}" in words


@pytest.mark.slow
def test_embeddings_and_recurrent_layers_are_measured_and_whole_numbers_are_called_zeros(tmp_path, capsys):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.emb, self.l, self.out = nn.Embedding(9, 64), nn.GRU(64, 8, batch_first=True), nn.Linear(8, 5)\n"
        "        nn.init.constant_(self.emb.weight, 3.0)\n"
        "    def forward(self, x):\n"
        "        return self.out(self.l(self.emb(x))[0])\n"
    )
    asked = ("signal", f"{tmp_path / 'net.py'}:Net", "--input", "1,7:int64", "--seeds", "2", "--quiet")
    code, found, said = called(capsys, *asked)
    assert code == 0
    assert found["inputs"] == "zeros (int64)"
    assert "2 x 16 inputs of zeros (int64)." in said
    assert "all 0" in said
    assert "-*" not in said
    assert [layer["layer"] for layer in found["layers"]] == ["emb", "l", "out"]
    assert found["layers"][0]["second_moment"] == pytest.approx(9.0)  # 3 squared, whatever is looked up.
    assert found["layers"][0]["theory"] is found["layers"][0]["theory_chain"] is None
    assert 0 < found["layers"][1]["second_moment"] < 1  # A GRU's state lies between -1 and 1.
    assert found["without_theory"] == ["emb", "l"]
    assert "no theory here of such layers: emb, l." in said
    _, found, said = called(capsys, *asked, "--init", "he", "-o", str(tmp_path / "net.svg"))
    assert found["left_out"] == ["emb", "l"]
    assert found["layers"][0]["second_moment"] == pytest.approx(9.0)  # As its own code starts it.


@pytest.mark.slow
def test_pictures_go_through_a_model_of_the_catalogue(capsys):
    code, found, _ = called(
        capsys,
        *("signal", "gan/dcgan:discriminator", "--set", "resolution=16", "--set", "features=4"),
        *("--seeds", "2", "--batch", "4", "--data", "scenes:8,16x16", "--quiet"),
    )
    assert code == 0
    assert found["inputs"].startswith("scenes")
    assert found["weights"].startswith("as the network's code")
    assert found["layers"][0]["theory_chain_whole"]


def test_fixup_says_why_gradients_are_0(tmp_path, capsys):
    (tmp_path / "res.py").write_text(
        "from torch import nn\nfrom ganvas.nn.blocks.residual import Residual\n"
        "def net():\n"
        "    branch = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1))\n"
        "    return nn.Sequential(Residual(branch), nn.Flatten(), nn.Linear(64, 2))\n"
    )
    code, found, said = called(
        capsys,
        "signal",
        f"{tmp_path / 'res.py'}:net",
        "--input",
        "1,4,4,4",
        "--init",
        "fixup",
        "--seeds",
        "1",
        "--quiet",
    )
    assert code == 0
    assert [layer["gradient"] for layer in found["layers"][:2]] == [0, 0]
    assert found["layers"][1]["second_moment_spread"] is None
    assert "Fixup starts that layer at 0" in said


NOT_FINITE = """
import torch
from torch import nn

class Twice(nn.Module):
    def __init__(self, between):
        super().__init__()
        self.a, self.b, self.between = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 1, 3), between
    def forward(self, x):
        return self.b(self.between(self.a(x)))

def sound(): return Twice(torch.relu)
def log(): return Twice(lambda x: x.relu().log())
def root(): return Twice(lambda x: (x * 0).sqrt())
def cut_off(): return Twice(lambda x: x.relu().sqrt())
def masked(): return Twice(lambda x: x.masked_fill(x < 0, -torch.inf).flatten(2).softmax(2).unflatten(2, x.shape[2:]))
def scaled(factor):
    net = sound()
    with torch.no_grad():
        net.a.weight.mul_(factor)
        net.b.weight.mul_(factor)
    return net
def large(): return scaled(1e30)
def spoilt(): return scaled(torch.nan)
def sometimes(): return scaled(1.0 if torch.rand(()) < 0.5 else torch.nan)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("sound", []),
        ("log", [("output", "log", "log", "-inf")]),
        ("root", [("gradient", "mul", "sqrt", "inf")]),
        ("cut_off", []),  # The root's infinite slopes stand where the ReLU lets nothing through.
        ("masked", []),
        ("large", [("output", "b", "conv2d", "inf")]),  # 1e30 times 1e30 is more than float32 holds.
        ("spoilt", [("weight", "a.weight", "", "nan"), ("output", "a", "conv2d", "nan")]),
    ],
)
def test_the_first_that_is_no_number_is_named_and_ends_the_command_with_1(tmp_path, capsys, name, faults):
    (tmp_path / "net.py").write_text(NOT_FINITE)
    code, found, said = called(
        capsys,
        *("signal", f"{tmp_path / 'net.py'}:{name}", "--input", "1,1,9,9", "--seeds", "2", "--quiet"),
        *("-o", str(tmp_path / "signal.svg")),
    )
    assert [(each["what"], each["layer"], each["op"], each["value"]) for each in found["faults"]] == faults
    assert found["finite"] is not bool(faults)
    assert code == bool(faults)
    assert found["verdict"] in said
    assert ("Not finite" in said) is ("Not finite" in (tmp_path / "signal.svg").read_text()) is bool(faults)


WHOSE = """
import torch
from torch import nn
from ganvas.nn.layers.plain_layers import Conv2d

def trained():
    net = nn.Sequential(Conv2d(1, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 1))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(2.0)
    return net

def drawn(): return nn.Sequential(nn.Conv2d(1, 1, 1))
ready = trained()
"""


@pytest.mark.parametrize(
    ("name", "seeds", "weights"),
    [
        ("trained", 2, "as net.py:trained gives them, the same for each seed"),
        ("drawn", 2, "as net.py:drawn gives them, others for each seed"),
        ("trained", 1, "as net.py:trained gives them (called with torch's seed 3)"),
        ("ready", 2, "as net.py:ready holds them"),
    ],
)
def test_weights_that_a_persons_code_brings_are_not_called_a_fresh_start(tmp_path, name, seeds, weights):
    (tmp_path / "net.py").write_text(WHOSE)
    task = SignalTask(
        model=f"{tmp_path / 'net.py'}:{name}", input=("1,1,5,5",), seeds=seeds, seed=3, batch=4, quiet=True
    )
    found = signal(task)
    assert found.weights == weights
    if name == "trained":  # y = 2 x + 2 of normal x: E[y^2] = 8, to 5 deviations of the mean of 100 squares.
        assert found.layers[0].second_moment == pytest.approx(8, abs=5 * math.sqrt(96 / (100 * seeds)))


@pytest.mark.slow
def test_what_only_some_draws_have_is_said_so(tmp_path, capsys):
    (tmp_path / "net.py").write_text(NOT_FINITE)
    _, found, said = called(
        capsys, "signal", f"{tmp_path / 'net.py'}:sometimes", "--input", "1,1,9,9", "--seeds", "8", "--quiet"
    )
    draws = found["faults"][0]["draws"]
    assert 0 < draws < 8
    assert f"in {draws} of 8 draws" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"init": "kaiming"}, "no start 'kaiming'"),
        ({"seeds": 0}, "--seeds 0"),
        ({"batch": -1}, "--batch -1"),
        ({"init": "fixup"}, "residual"),
        ({"input": ("1,5,8,8",)}, r"net\.py:Net fails in first \(Conv2d\): RuntimeError: Given groups"),
        ({"input": ("1,3,2,2",)}, "fails in second"),
        ({"out": "x.bmp"}, "suffix"),
        ({"out": "nowhere/x.png"}, "no folder"),
        ({"data": "scenes:4,12x12"}, "fewer than a batch"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_written(net, tmp_path, change, said):
    change = {**change, "out": tmp_path / change["out"]} if "out" in change else change
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match=said):
        signal(SignalTask(**{"model": net, "input": ("1,3,12,12",), "seeds": 1, "quiet": True, **change}))
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "__pycache__"] == before


@pytest.mark.slow
def test_the_collapse_in_numbers_and_a_picture_also_of_own_points(tmp_path, capsys):
    code, found, said = called(capsys, "collapse", "--draws", "20", "-o", str(tmp_path / "collapse.svg"))
    assert code == 0
    assert [row["dimensions"] for row in found["rows"]] == [2, 3, 5, 15, 30]
    assert found["rows"][0]["pseudo_inverse"]["standard_error"] > 0
    assert "half the size" in said
    assert (tmp_path / "collapse.svg").read_text().startswith("<")
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(50, 2)))
    (tmp_path / "points.csv").write_text("0.5, 1\n1, 0\n-1 0.25\n")
    for name in ("points.npy", "points.csv"):
        code, found, _ = called(
            capsys, "collapse", "--points", str(tmp_path / name), "--draws", "5", "--dimensions", "2", "4"
        )
        assert code == 0
        assert found["points"].endswith(name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("collapse", "--dimensions", "0"), "Dimensions 0"),
        (("collapse", "--draws", "0"), "0 draws"),
        (("collapse", "--points", "nowhere.csv"), "no file nowhere.csv"),
        (("collapse", "-o", "x.gif"), "suffix"),
        (("compare-kernels", "--large", "6"), "odd"),
        (("compare-kernels", "--channels", "0"), "channels=0"),
        (("compare-kernels", "--threads", "2"), "--time"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(capsys, arguments, said):
    code, found, err = called(capsys, *arguments)
    assert code == 2
    assert found is None
    assert said in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1


def test_files_that_hold_no_points_are_refused(tmp_path, capsys):
    (tmp_path / "words.csv").write_text("x,y\n1,2\n")
    (tmp_path / "ragged.csv").write_text("1 2\n3\n")
    (tmp_path / "broken.npy").write_bytes(b"not numpy")
    for name in ("words.csv", "ragged.csv", "broken.npy"):
        code, _, err = called(capsys, "collapse", "--points", str(tmp_path / name), "--draws", "1")
        assert code == 2
        assert "holds no points" in err


def test_kernels_are_compared(capsys):
    code, found, said = called(capsys, "compare-kernels", "--channels", "8", "--size", "14")
    assert code == 0
    assert [stack["parameters"] for stack in found["stacks"][:2]] == [49 * 64, 27 * 64]
    assert "+81.5%" in said
