import io
import json
import os
import warnings
import zipfile

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.features import network_catalogue


class Means(nn.Module):
    def forward(self, x):
        return x.float().mean((2, 3))


class Scores(nn.Module):
    """Class 0 where the first channel is below 128, else class 1 of three."""

    def forward(self, x):
        bright = (x[:, :1] >= 128).float()
        return torch.cat([1 - bright, bright, -torch.ones_like(bright)], 1)


class Labels(nn.Module):
    def forward(self, x):
        return (x[:, 0] >= 128).long()


class Named(nn.Module):
    def forward(self, x):
        return {"features": x.float().mean((2, 3)), "pooled": x.float().amax((2, 3), keepdim=True)}


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def script(module, path, says=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated; its files are still about.
        scripted = torch.jit.trace(module, torch.zeros(2, 3, 64, 64, dtype=torch.uint8), strict=False)
        torch.jit.save(scripted, str(path), _extra_files={"ganvas.json": json.dumps(says)} if says else {})
    return str(path)


def exported(module, path, *, side=None, dtype=torch.uint8, says=None, fixed=False):
    n, h, w = (torch.export.Dim(name) for name in "nhw")
    dims = {0: n} | ({} if side else {2: h, 3: w})
    example = torch.zeros(3, 3, side or 31, side or 37, dtype=dtype)
    program = torch.export.export(module, (example,), dynamic_shapes=None if fixed else (dims,))
    torch.export.save(program, str(path), extra_files={"ganvas.json": json.dumps(says)} if says else None)
    return str(path)


@pytest.mark.parametrize("kind", ["torchscript", pytest.param("export", marks=pytest.mark.slow)])
def test_a_file_of_either_kind_gives_rows_of_its_bytes(tmp_path, pictures, kind):
    file = script(Means(), tmp_path / "mean.pt") if kind == "torchscript" else exported(Means(), tmp_path / "mean.pt2")
    network = network_catalogue.load(file)
    assert dict(network.taps) == {"features": 3}
    assert network.identity.startswith("mean(bytes)@")
    assert network.identity.endswith(":own-size:uint8")
    assert_close(network.extract(pictures)["features"], pictures.float().mean((2, 3)))


@pytest.mark.slow
def test_a_description_in_the_archive_says_input_size_and_name(tmp_path, pictures):
    says = {"name": "retina", "input": "[-1,1]", "size": 16, "resize": "tf1-bilinear"}
    file = exported(Means(), tmp_path / "x.pt2", side=16, dtype=torch.float32, says=says)
    network = network_catalogue.load(file)
    assert network.identity.startswith("retina([-1,1])@")
    assert network.identity.endswith(":tf1-bilinear-16:uint8")
    white = torch.full_like(pictures, 255)
    assert_close(network.extract(white)["features"], torch.ones(5, 3))


def test_a_description_may_lie_beside_the_file(tmp_path, pictures):
    file = script(Means(), tmp_path / "x.pt")
    (tmp_path / "x.pt.json").write_text('{"input": "[0,1]"}')
    assert_close(network_catalogue.load(file).extract(pictures)["features"], pictures.float().mean((2, 3)) / 255)
    (tmp_path / "x.pt.json").write_text('{"input": "[0,2]"}')
    with pytest.raises(UserError, match="is not a choice"):
        network_catalogue.load(file)
    (tmp_path / "x.pt.json").write_text('{"siez": 32}')
    with pytest.raises(UserError, match=r"x\.pt\.json has a field 'siez'\. Did you mean 'size'\?"):
        network_catalogue.load(file)
    (tmp_path / "x.pt.json").write_text("{input")
    with pytest.raises(UserError, match="is not whole JSON"):
        network_catalogue.load(file)


def test_a_labellers_scores_and_labels_are_areas_in_per_cent(tmp_path):
    pictures = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    pictures[:, 0, 0] = 200  # One row of four.
    scores = network_catalogue.load(script(Scores(), tmp_path / "scores.pt"))
    assert dict(scores.taps) == {"segments": 3}
    assert scores.extract(pictures, ["segments"])["segments"].tolist() == [[75, 25, 0]]
    labels = network_catalogue.load(script(Labels(), tmp_path / "labels.pt", {"classes": 2}))
    assert labels.extract(pictures, ["segments"])["segments"].tolist() == [[75, 25]]
    with pytest.raises(UserError, match='say how many as "classes"'):
        network_catalogue.load(script(Labels(), tmp_path / "unsaid.pt"))


class Unsure(nn.Module):
    """Scores that are nan where a picture has a bright pixel."""

    def forward(self, x):
        first = x[:, :1].float()
        return torch.cat([first, torch.where(first > 200, torch.nan, first)], 1)


def test_scores_that_are_no_numbers_label_nothing(tmp_path):
    network = network_catalogue.load(script(Unsure(), tmp_path / "x.pt"))
    dark, bright = (torch.full((2, 3, 64, 64), level, dtype=torch.uint8) for level in (10, 250))
    assert network.extract(dark, ["segments"])["segments"].isfinite().all()
    with pytest.raises(UserError, match="scores that are not numbers"):
        network.extract(bright, ["segments"])


def test_a_mapping_of_outputs_is_a_mapping_of_taps(tmp_path, pictures):
    network = network_catalogue.load(script(Named(), tmp_path / "x.pt"))
    assert dict(network.taps) == {"features": 3, "pooled": 3}
    assert_close(network.extract(pictures, ["pooled"])["pooled"], pictures.float().amax((2, 3)))


@pytest.mark.slow
def test_a_program_that_takes_other_pictures_is_an_error_that_says_what_to_do(tmp_path):
    file = exported(Means(), tmp_path / "x.pt2", side=16, fixed=True)
    with pytest.raises(UserError, match="export it for any number of pictures"):
        network_catalogue.load(file)


def test_other_files_and_other_precisions_are_refused(tmp_path, pictures):
    torch.save({"w": torch.ones(2)}, tmp_path / "weights.pth")
    with pytest.raises(UserError, match="is no feature network"):
        network_catalogue.load(str(tmp_path / "weights.pth"))
    file = script(Means(), tmp_path / "x.pt")
    with pytest.raises(UserError, match="computes as it was exported"):
        network_catalogue.load(file, precision="bfloat16")
    whole = (tmp_path / "x.pt").read_bytes()
    (tmp_path / "x.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"x\.pt"):
        network_catalogue.load(file)


@pytest.mark.slow
def test_a_pickled_object_in_an_exported_archive_is_refused_and_does_not_run(tmp_path):
    file, trap = exported(Means(), tmp_path / "x.pt2"), tmp_path / "ran"
    evil = io.BytesIO()
    torch.save(Evil(trap), evil)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (sample,) = (name for name in members if "sample_inputs" in name)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (members | {sample: evil.getvalue()}).items():
            archive.writestr(name, data)
    with pytest.raises(UserError, match="other objects than tensors"):
        network_catalogue.load(file)
    assert not trap.exists()
