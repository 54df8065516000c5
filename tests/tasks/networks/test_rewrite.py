import logging
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from ganvas.anatomy.loading.load import load as load_network
from ganvas.anatomy.loading.random_weights import with_weights
from ganvas.core.errors import UserError
from ganvas.tasks.networks.rewrite import Rewrite, rewrite
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # Of torch.export to itself.

TINY = ("resolution=16", "latent_size=8", "features=4")
CODE = """
import sys
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.ConvTranspose1d(3, 4, 5, stride=2, padding=1, output_padding=1)
        self.weight = nn.Parameter(torch.ones(4, 2, 3, 3))

    def forward(self, x):
        row = self.one(x)
        return {"row": row, "picture": F.conv_transpose2d(row[:, :, None], self.weight, stride=(1, 2))}


class Deep(nn.Module):
    def __init__(self, dims):  # Groups, dilation, output padding, unlike sides, no bias.
        super().__init__()
        layer, n = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[dims - 1], dims
        self.first = layer(
            4, 6, (3, 4, 2)[:n], (2, 3, 1)[:n], (1, 2, 0)[:n], (1, 2, 0)[:n], groups=2, dilation=(3, 2, 1)[:n]
        )
        self.last = layer(6, 2, 4, 2, (5, 5, 3)[:n], bias=False)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


def deep1(): return Deep(1)
def deep2(): return Deep(2)
def deep3(): return Deep(3)
def none(): return nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
def trained():
    from ganvas.nn.layers.plain_layers import ConvTranspose2d

    net = ConvTranspose2d(1, 1, 2, stride=2)
    nn.init.constant_(net.weight, 3.0)
    nn.init.constant_(net.bias, 1.0)
    return net


class Ends(nn.Module):
    def __init__(self, end):
        super().__init__()
        self.layer, self.end = nn.ConvTranspose2d(3, 2, 2, 2), end

    def forward(self, x):
        return self.end(self.layer(x))


def nothing(): return Ends(lambda y: y * 0 / 0)
def infinite(): return Ends(lambda y: torch.where(y > 0, torch.inf, y))
def complex_(): return Ends(torch.fft.fft2)
def double(): return nn.Sequential(Ends(torch.relu)).double()


class Talks(nn.Module):
    def forward(self, x):
        print("of my own", file=sys.stderr)
        return x if x.sum() > 0 else -x


class Chooses(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("code") / "nets.py"
    path.write_text(CODE)
    return path


def run_onnx(path, *inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [part.name for part in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


@pytest.mark.slow
def test_a_generator_becomes_an_onnx_file_of_any_batch_without_transposed_convolutions(tmp_path):
    out = tmp_path / "net.onnx"
    result = rewrite(Rewrite(model="gan/dcgan", set=TINY, out=out, any_batch=True))
    assert result.replaced == 3
    assert result.largest_difference <= 1e-5 * result.largest_output
    assert result.inputs == [["batch", 8]]
    assert {node.op_type for node in onnx.load(out).graph.node}.isdisjoint({"ConvTranspose"})
    for n in (1, 5):
        assert run_onnx(out, np.zeros((n, 8), np.float32))[0].shape == (n, 3, 16, 16)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.slow
def test_a_pt2_file_is_rewritten_like_the_network_it_was_saved_from(tmp_path, code):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.ConvTranspose2d(3, 4, 4, 2, 1), torch.nn.ReLU()).eval()
    x = torch.randn(1, 3, 5, 6)
    torch.export.save(torch.export.export(model, (x,)), tmp_path / "given.pt2")
    for name in ("done.pt2", "done.onnx"):
        result = rewrite(Rewrite(model=str(tmp_path / "given.pt2"), out=tmp_path / name))
        assert result.replaced == 1
        assert not any("conv_transpose" in operator.lower() for operator in result.operators)
    program = torch.export.load(tmp_path / "done.pt2")
    assert_close(program.module()(x), model(x), rtol=1e-5, atol=1e-6)
    assert_close(torch.from_numpy(run_onnx(tmp_path / "done.onnx", x.numpy())[0]), model(x), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_own_code_with_several_outputs_and_functions_is_rewritten(tmp_path, code):
    result = rewrite(Rewrite(model=f"{code}:Net", input=("2,3,7",), out=tmp_path / "net.onnx"))
    assert result.replaced == 2
    row, picture = run_onnx(tmp_path / "net.onnx", np.ones((2, 3, 7), np.float32))
    # (7 - 1) 2 - 2 + 5 + 1 = 16; 1 and 16 become 3 and 2 x 15 + 3.
    assert row.shape == (2, 4, 16)
    assert picture.shape == (2, 2, 3, 33)


@pytest.mark.slow
def test_a_run_is_written_as_it_draws_now_in_the_middle_of_its_growth(tmp_path):
    settings = ("latent_size=8", "fmap_base=64", "fmap_max=8", "batch_size=8", "train_kimg=0.016", "fade_kimg=0.032")
    settings += ("resolution=16", "measure_kimg=-1", "sample_kimg=1")
    run, out = tmp_path / "run", tmp_path / "net.pt2"
    (tmp_path / "in").mkdir()
    for index, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(tmp_path / "in" / f"{index}.png")
    train(
        Train(
            model="gan/progan",
            data=str(tmp_path / "in"),
            out=run,
            set=settings,
            kimg=0.032,
            quiet=True,
            estimate=False,
            device="cpu",
        )
    )
    trained = load(run)
    assert trained.fade < 1
    result = rewrite(Rewrite(model=str(run), out=out))
    assert result.replaced >= 1
    assert "0.032 kimg" in result.weights
    z = trained.latents(1, seed=3)
    expected = trained.decode(z)
    assert_close(torch.export.load(out).module()(z), expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


@pytest.mark.slow
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
def test_groups_dilation_and_output_padding_come_out_alike_in_one_to_three_axes(tmp_path, code, dims, suffix):
    shape = (1, 4, *(5, 6, 3)[:dims])
    size = ",".join(map(str, shape))
    result = rewrite(Rewrite(model=f"{code}:deep{dims}", input=(size,), out=tmp_path / f"net.{suffix}"))
    assert result.replaced == 2
    assert not any("transpose" in name.lower() and "conv" in name.lower() for name in result.operators)
    assert result.largest_difference <= 1e-5 * result.largest_output
    # The file alone, beside torch's own layers with the weights that the same seed gives.
    model = with_weights(load_network(f"{code}:deep{dims}"), seed=0).eval()
    x = torch.randn(shape, generator=torch.Generator().manual_seed(9))
    expected = model(x).detach()
    if suffix == "onnx":
        found = torch.from_numpy(run_onnx(tmp_path / "net.onnx", x.numpy())[0])
    else:
        found = torch.export.load(tmp_path / "net.pt2").module()(x).detach()
    assert_close(found, expected, rtol=0, atol=1e-5 * expected.abs().max().item())


def test_a_network_without_any_is_written_as_it_is_and_an_older_file_replaced(tmp_path, code):
    out = tmp_path / "net.pt2"
    out.write_text("the older one")
    result = rewrite(Rewrite(model=f"{code}:none", input=("1,3,5,5",), out=out))
    assert result.replaced == 0
    assert torch.export.load(out).module()(torch.ones(1, 3, 5, 5)).shape == (1, 2, 3, 3)


@pytest.mark.slow
def test_weights_that_a_persons_code_loaded_are_written_and_not_called_a_fresh_start(tmp_path, code):
    result = rewrite(Rewrite(model=f"{code}:trained", input=("1,1,2,2",), out=tmp_path / "net.pt2"))
    assert result.weights.startswith("as nets.py:trained gives them")
    x = torch.full((1, 1, 2, 2), 2.0)  # Every output is one product and the bias.
    assert_close(torch.export.load(tmp_path / "net.pt2").module()(x), torch.full((1, 1, 4, 4), 7.0))
    assert rewrite(Rewrite(model="gan/dcgan", set=TINY, out=tmp_path / "g.pt2")).weights == "of a fresh start, seed 0"


def test_infinities_that_are_the_networks_own_are_no_difference(tmp_path, code):
    result = rewrite(Rewrite(model=f"{code}:infinite", input=("1,3,4,4",), out=tmp_path / "net.pt2"))
    assert result.largest_difference <= 1e-5 * result.largest_output < 1


BAD = {
    r"outputs of .* itself are nan for normal inputs": {"model": ":nothing", "input": ("1,3,4,4",), "out": "net.pt2"},
    "complex numbers, which ONNX has not": {"model": ":complex_", "input": ("1,3,4,4",), "out": "net.onnx"},
    r"onnxruntime cannot run this network.* \.pt2 file": {
        "model": ":double",
        "input": ("1,3,4,4:float64",),
        "out": "net.onnx",
    },
    r"a folder is there.* such as .*net\.onnx": {"model": ":none", "input": ("1,3,5,5",), "out": "."},
    "the ending chooses the format": {"model": "gan/dcgan", "out": "net.txt"},
    "There is no network 'resnet1'": {"model": "resnet1", "out": "net.pt2"},
    r"cannot be traced by torch.export with an input of 1x4x7: .*have 3 channels": {
        "model": ":Net",
        "input": ("1,4,7",),
        "out": "net.pt2",
    },
    r"Chooses cannot be traced .* a forward whose course depends on values": {
        "model": ":Chooses",
        "input": ("1,3",),
        "out": "net.pt2",
    },
    "The input of .* is not known": {"model": ":Net", "out": "net.pt2"},
}


@pytest.mark.slow
@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_said_and_nothing_is_left(message, tmp_path, code):
    given = dict(BAD[message])
    given["model"] = f"{code}{given['model']}" if given["model"].startswith(":") else given["model"]
    folder = tmp_path / "folder.pt2"
    out = folder if given["out"] == "." else tmp_path / given["out"]
    if out == folder:
        folder.mkdir()
    with pytest.raises(UserError, match=message):
        rewrite(Rewrite(**{**given, "out": out}))
    assert list(tmp_path.iterdir()) == ([folder] if out == folder else [])


def test_of_a_failed_export_only_the_error_is_said(tmp_path, code, capsys):
    said = list[logging.LogRecord]()
    heard = logging.Handler()
    heard.emit = said.append
    logger = logging.getLogger("torch.fx.experimental.symbolic_shapes")
    logger.addHandler(heard)
    try:
        with pytest.raises(UserError, match="Talks cannot be traced"):
            rewrite(Rewrite(model=f"{code}:Talks", input=("1,3",), out=tmp_path / "net.pt2"))
    finally:
        logger.removeHandler(heard)
    assert capsys.readouterr().err == "of my own\n"  # What the forward itself says is not held back.
    assert said == []
    assert logging.getLogger("torch").level == logging.WARNING


def test_a_file_whose_outputs_differ_does_not_take_its_name(tmp_path, code):
    out = tmp_path / "net.pt2"
    out.write_text("the older one")

    def wrong(program, path):
        path.write_text("the newer one")
        return (lambda inputs: [torch.full((1, 4, 16), 9.0)]), Counter(), "a runtime that is wrong"

    with (
        mock.patch("ganvas.tasks.networks.rewrite._write_program", wrong),
        mock.patch("ganvas.tasks.networks.rewrite._flat", lambda outputs: [outputs["row"]]),
        pytest.raises(UserError, match=r"differs from it by .* Nothing was written"),
    ):
        rewrite(Rewrite(model=f"{code}:Net", input=("1,3,7",), out=out))
    assert out.read_text() == "the older one"
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt2"]


def test_without_the_extra_the_message_names_it(tmp_path):
    with (
        mock.patch("importlib.util.find_spec", return_value=None),
        pytest.raises(UserError, match=r"needs onnx, onnxruntime, onnxscript: pip install 'ganvas\[export\]'"),
    ):
        rewrite(Rewrite(model="gan/dcgan", out=tmp_path / "net.onnx"))


@pytest.mark.slow
def test_the_task_imports_no_torch_until_it_runs():
    code = "import sys, ganvas.tasks.networks.rewrite; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0
