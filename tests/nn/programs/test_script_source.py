import warnings
import zipfile

import pytest
import torch
from torch import nn

from ganvas.core.errors import UserError
from ganvas.nn.programs.program_files import load_torchscript


class Net(nn.Module):
    def forward(self, x):
        return x * 2


@pytest.fixture
def scripted(tmp_path):
    with warnings.catch_warnings(action="ignore"):  # torch.jit is deprecated; its files are still about.
        torch.jit.script(Net()).save(tmp_path / "good.pt")
    return tmp_path / "good.pt"


def with_body(path, body):
    """The file with another body of ``forward``."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    (code,) = (name for name in records if name.endswith(".py"))
    source = records[code].decode()
    assert "torch.mul(x, 2)" in source
    records[code] = source.replace("return torch.mul(x, 2)", body).encode()
    records.pop(f"{code}.debug_pkl", None)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    return path


def test_what_only_computes_is_read(scripted):
    assert load_torchscript(scripted)(torch.ones(2)).tolist() == [2, 2]
    assert load_torchscript(with_body(scripted, "return torch.add(x, 5)"))(torch.ones(2)).tolist() == [6, 6]


@pytest.mark.parametrize(
    "body",
    [
        "torch.save(x, '{}')\n    return x",
        "t = torch\n    t.save(x, '{}')\n    return x",
        "y = torch.from_file('{}', True, 4)\n    return y",
        "y = ops.aten.from_file('{}', True, 4)\n    return y",
        "y = getattr(torch, 'from_' \"file\")('{}', True, 4)\n    return y",
        "y = getattr(torch, 'from\\x5ffile')('{}', True, 4)\n    return y",
    ],
)
def test_a_program_that_writes_files_is_refused_before_it_is_read(scripted, tmp_path, body):
    path = with_body(scripted, body.replace("{}", str(tmp_path / "written")))
    with pytest.raises(UserError, match=r"calls '(save|from_file)' .*which reads or writes any file"):
        load_torchscript(path)(torch.ones(4))
    assert not (tmp_path / "written").exists()


def test_a_damaged_file_is_one_sentence(scripted):
    whole = scripted.read_bytes()
    unclosed = with_body(scripted, "return (x '").read_bytes()
    for data in (b"", b"PK", whole[: len(whole) // 2], whole[:-30], unclosed):
        scripted.write_bytes(data)
        with pytest.raises(UserError, match=r"good\.pt is not a TorchScript file, or is damaged"):
            load_torchscript(scripted)
