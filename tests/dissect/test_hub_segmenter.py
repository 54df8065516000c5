"""Networks of the Hugging Face hub as labellers: what they are shown, what they answer, what is refused."""

import json
import sys
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.dissect.labellers.hub_segmenter import HubSegmenter, is_hub_segmenter, load

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.5, 0.1)


class Reddest(nn.Module):
    """Says at a quarter of the size which of three channels is the strongest, in colours from 0 to 1."""

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(id2label={0: "red", 1: "green", 2: "blue"}, num_labels=3)

    def forward(self, pixel_values):
        self.size = tuple(pixel_values.shape[2:])
        colours = pixel_values * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None]
        self.range = colours.min().item(), colours.max().item()
        return SimpleNamespace(logits=10 * nn.functional.avg_pool2d(colours, 4))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["SegformerForSemanticSegmentation"]}))
    prepared = {"size": {"height": 64, "width": 64}, "image_mean": MEAN, "image_std": STD}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(prepared))
    save_file({"weight": torch.ones(1)}, tmp_path / "model.safetensors")
    return tmp_path


@pytest.fixture
def labeller(folder, monkeypatch):
    auto = SimpleNamespace(from_pretrained=lambda *_, **how: Reddest() if how["use_safetensors"] else None)
    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(AutoModelForSemanticSegmentation=auto))
    return load(folder)


def test_a_network_is_shown_its_own_size_and_colours_and_answers_at_the_pictures_size(labeller):
    images = torch.full((9, 3, 16, 24), -1.0)
    images[:, 0, :8], images[:, 2, 8:] = 1, 1  # Red above, blue below.
    labels = labeller.segment(images)
    assert labels.shape == (9, 16, 24)
    assert labeller.network.size == (64, 64)
    assert labeller.network.range == pytest.approx((0, 1), abs=1e-6)
    assert set(labels[:, :7].flatten().tolist()) == {0}
    assert set(labels[:, 9:].flatten().tolist()) == {2}
    beliefs = labeller.score(images.requires_grad_())
    assert_close(beliefs.sum(1), torch.ones(9, 16, 24))
    beliefs[:, 1].sum().backward()
    assert images.grad.abs().max() > 0
    assert labeller.labels == ("red", "green", "blue")


def test_a_folder_is_known_by_its_kind_and_damage_is_told_in_a_sentence(folder, labeller):
    assert isinstance(labeller, HubSegmenter)
    assert is_hub_segmenter(folder)
    assert not is_hub_segmenter(folder / "nowhere")
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_std": [0, 1, 1]}))
    with pytest.raises(UserError, match="a number and three each"):
        load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match="pickled weights are not read"):
        load(folder)


def test_more_labels_than_a_byte_has_numbers_are_refused_and_one_without_a_name_is_its_number(folder, monkeypatch):
    network = Reddest()
    auto = SimpleNamespace(from_pretrained=lambda *_, **how: network)
    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(AutoModelForSemanticSegmentation=auto))
    network.config.num_labels = 4
    assert load(folder).labels == ("red", "green", "blue", "3")
    network.config.num_labels = 257
    with pytest.raises(UserError, match="257 labels apart, and a dissection 256 at most"):
        load(folder)


def test_without_the_package_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"pip install 'ganvas\[hub\]'"):
        load(folder)
