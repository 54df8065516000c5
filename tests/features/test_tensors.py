import io
import os
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.features.tensors import read_tensors, require, without_prefix
from ganvas.nn.programs.program_files import is_torchscript

TENSORS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.tensor([1.5, -2.5])}


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).half()
        self.scale = nn.Parameter(torch.tensor(2.0))
        whole = torch.arange(10.0)
        self.register_buffer("tail", whole[6:])  # Shares its storage with what is before it.
        self.register_buffer("turned", torch.arange(6.0).view(2, 3).T)

    def forward(self, x):
        return self.visual(x) * self.scale


class Evil:
    """What a pickle can do: run a command while it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def same(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        assert_close(found[name], expected[name].detach(), rtol=0, atol=0)


def test_safetensors_and_both_kinds_of_torch_save_are_read(tmp_path):
    save_file(TENSORS, tmp_path / "x.safetensors")
    torch.save(TENSORS, tmp_path / "new.pth")
    torch.save(TENSORS, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for file in tmp_path.iterdir():
        same(read_tensors(file), TENSORS)


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_a_state_dict_within_a_checkpoint_is_found(tmp_path, key):
    torch.save({"epoch": 3, key: TENSORS, "optimizer": {"lr": 0.1}}, tmp_path / "x.pth")
    same(read_tensors(tmp_path / "x.pth"), TENSORS)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_the_tensors_of_a_torchscript_archive_are_its_state_dict(tmp_path):
    module = Small().eval()
    torch.jit.save(torch.jit.script(module), str(tmp_path / "x.pt"))
    assert is_torchscript(tmp_path / "x.pt")
    same(read_tensors(tmp_path / "x.pt"), module.state_dict())


@pytest.mark.parametrize("old", [False, True])
def test_a_pickle_with_another_object_is_refused_and_does_not_run(tmp_path, old):
    trap = tmp_path / "ran"
    torch.save({"a": torch.ones(1), "b": Evil(trap)}, tmp_path / "x.pth", _use_new_zipfile_serialization=not old)
    with pytest.raises(UserError, match="other objects than tensors"):
        read_tensors(tmp_path / "x.pth")
    assert not trap.exists()


def test_a_torchscript_archive_with_another_object_is_refused_and_does_not_run(tmp_path):
    trap = tmp_path / "ran"
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("x/constants.pkl", pickle.dumps(()))
        archive.writestr("x/data.pkl", pickle.dumps({"a": Evil(trap)}, protocol=2))
    with pytest.raises(UserError, match="other objects than tensors"):
        read_tensors(tmp_path / "x.pt")
    assert not trap.exists()


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_file_that_was_cut_short_is_an_error_that_names_it(tmp_path):
    save_file(TENSORS, tmp_path / "x.safetensors")
    torch.save(TENSORS, tmp_path / "new.pth")
    torch.save(TENSORS, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(Small()), str(tmp_path / "script.pt"))
    for file in list(tmp_path.iterdir()):
        whole = file.read_bytes()
        for share in (0.05, 0.5, 0.95):
            file.write_bytes(whole[: int(share * len(whole))])
            with pytest.raises(UserError, match=file.name):
                read_tensors(file)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x00" * 100, pickle.dumps([1, 2])])
def test_what_is_no_file_of_weights_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.pth"):
        read_tensors(tmp_path / "x.pth")


def test_a_file_without_a_tensor_is_refused(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "x.pth")
    with pytest.raises(UserError, match="holds no tensors"):
        read_tensors(tmp_path / "x.pth")


def test_a_prefix_is_taken_off_and_what_has_another_is_left_out():
    tensors = {"m.n.fc.weight": torch.ones(1), "m.n.x": torch.ones(2), "other": torch.ones(3)}
    assert without_prefix(tensors, "fc.weight").keys() == {"fc.weight", "x"}
    assert without_prefix({"fc.weight": torch.ones(1), "x": torch.ones(2)}, "fc.weight").keys() == {"fc.weight", "x"}


def test_only_tensors_of_the_right_names_and_shapes_are_let_through():
    assert require(TENSORS, {"a.bias": (2,)}, "X").keys() == {"a.bias"}
    with pytest.raises(UserError, match=r"not the weights of X: 'b' is missing"):
        require(TENSORS, {"b": (2,)}, "X")
    with pytest.raises(UserError, match=r"shape \(2,\) and should have \(3,\)"):
        require(TENSORS, {"a.bias": (3,)}, "X")


def test_reading_takes_a_copy_that_outlives_the_file(tmp_path):
    buffer = io.BytesIO()
    torch.save(TENSORS, buffer)
    (tmp_path / "x.pth").write_bytes(buffer.getvalue())
    found = read_tensors(tmp_path / "x.pth")
    (tmp_path / "x.pth").unlink()
    same(found, TENSORS)
