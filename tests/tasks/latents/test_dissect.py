"""``ganvas dissect``, ``directions`` and ``invert`` as a person calls them, on a run of a few steps."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ganvas.core.errors import UserError
from ganvas.core.pixels import to_bytes
from ganvas.dissect import dissection
from ganvas.dissect.labellers.rules import Rule
from ganvas.dissect.subject import of_run
from ganvas.tasks.latents.directions import Directions, directions
from ganvas.tasks.latents.disentanglement import DisentanglementTask, disentanglement
from ganvas.tasks.latents.dissect import Dissect, DissectResult, Edited, RewrittenModel, ToPaint, dissect
from ganvas.tasks.latents.invert import Invert, invert
from ganvas.tasks.memorisation import Memorisation, memorisation
from ganvas.tasks.train import Train, train
from ganvas.train import trained

SETTINGS = ("resolution=8", "latent_size=8", "fmap_base=64", "fmap_max=8", "batch_size=8", "measure_kimg=-1")
LAYER = ("blocks.1.1",)
FEW = {"pictures": 12, "effect_pictures": 8, "held_out_pictures": 8, "permutations": 3, "set_size": 2, "quiet": True}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("dissect") / "run"
    settings = (*SETTINGS, "first_resolution=8", "train_kimg=0", "fade_kimg=0")
    task = Train(
        model="gan/progan", data="scenes:32,8x8", out=out, kimg=0.008, set=settings, quiet=True, estimate=False
    )
    train(task)
    return out


@pytest.fixture(scope="module")
def by_hand(run, tmp_path_factory):
    """A dissection with units that somebody chose, and its task."""
    folder = tmp_path_factory.mktemp("by_hand")
    (folder / "mine.json").write_text('{"layer": "blocks.1.1", "units": [0, 5]}')
    task = Dissect(
        run=str(run),
        labeller="brightness",
        layers=LAYER,
        twins=False,
        units=folder / "mine.json",
        out=folder / "found",
        **FEW,
    )
    dissect(task)
    return task


def test_a_run_is_dissected_into_a_page_tables_and_json(run, tmp_path):
    result = dissect(Dissect(run=str(run), labeller="colours", layers=("#16", "#24"), out=tmp_path / "d", **FEW))
    assert isinstance(result, DissectResult)
    assert {file.name for file in (tmp_path / "d").iterdir()} >= {
        *("dissection.html", "dissection.json", "units.csv", "unit_effects.csv", "sets.csv")
    }
    found = json.loads((tmp_path / "d" / "dissection.json").read_text())
    assert [layer["place"]["name"] for layer in found["layers"]] == ["#16", "#24"]
    assert len(found["unit_effects"]["change"]) == result.layers[0].units == 8
    page = (tmp_path / "d" / "dissection.html").read_text()
    assert page.count("data:image/png") == 8 * 2
    assert "http-equiv" in page
    rows = (tmp_path / "d" / "units.csv").read_text().splitlines()
    assert len(rows) == 1 + sum(line.units for line in result.layers)


def test_the_same_dissection_twice_is_the_same_and_stands_beside_the_other(by_hand, tmp_path):
    dissect(replace(by_hand, out=tmp_path / "again", beside=(by_hand.out,)))
    files = [(folder / "dissection.json").read_text() for folder in (by_hand.out, tmp_path / "again")]
    first, again = (json.loads(file) for file in files)
    beside = again.pop("beside")
    assert first.pop("beside") == []
    assert again == first
    rows = (tmp_path / "again" / "layers.csv").read_text().splitlines()  # The other one's layers in the same table:
    assert len(beside) == 1
    assert rows[1] == rows[2]
    assert "Beside other runs" in (tmp_path / "again" / "dissection.html").read_text()
    with pytest.raises(UserError, match="do not compare: n=12 there, n=13 here"):
        dissect(replace(by_hand, pictures=13, beside=(by_hand.out,), out=tmp_path / "other"))
    with pytest.raises(UserError, match="holds no dissection"):
        dissect(replace(by_hand, beside=(tmp_path,), out=tmp_path / "other"))


def test_a_discriminator_is_held_against_exact_masks(run, tmp_path):
    result = dissect(Dissect(run=f"{run}:discriminator", layers=("blocks.0.1",), out=tmp_path / "d", **FEW))
    assert isinstance(result, DissectResult)
    assert result.labeller.startswith("exact@")
    assert result.sets == ()
    with pytest.raises(UserError, match="looks at pictures and draws none"):
        dissect(Dissect(run=f"{run}:discriminator", context=("house",), out=tmp_path / "d", **FEW))


def test_chosen_units_are_silenced_beside_the_others_and_for_good(run, by_hand, tmp_path):
    assert "hand" in (by_hand.out / "sets.csv").read_text()
    edited = dissect(Dissect(run=str(run), edit=by_hand.units, out=tmp_path / "without", **FEW))
    assert isinstance(edited, Edited)
    assert edited.apart < 1e-4
    whole, less = (trained.load(path).decode(torch.ones(2, 8)) for path in (run, tmp_path / "without"))
    assert not torch.allclose(whole, less)


def test_chosen_units_are_silenced_where_a_label_is(run, by_hand, tmp_path):
    task = Dissect(run=str(run), edit=by_hand.units, where="middling", labeller="brightness", out=tmp_path / "o", **FEW)
    found = dissect(task)
    assert isinstance(found, RewrittenModel)
    assert {line.label for line in found.removals} <= {"dark", "middling", "bright"}
    whole, less = (trained.load(path).decode(torch.ones(2, 8)) for path in (run, tmp_path / "o"))
    assert not torch.allclose(whole, less)
    with pytest.raises(UserError, match=r"knows no 'midling'\. Did you mean 'middling'"):
        dissect(replace(task, where="midling"))
    with pytest.raises(UserError, match="says where --edit silences units"):
        dissect(replace(task, edit=None))


def test_pictures_to_paint_are_those_of_the_dissection(run, tmp_path):
    found = dissect(Dissect(run=str(run), to_paint=3, out=tmp_path / "paint"))
    assert isinstance(found, ToPaint)
    files = sorted((tmp_path / "paint" / "images").iterdir())
    assert [file.name for file in files] == ["000.png", "001.png", "002.png"]
    first = next(of_run(run).seen(3, of="sample"))[0]
    drawn = to_bytes(first)[2].permute(1, 2, 0).numpy()
    assert np.array_equal(np.asarray(Image.open(files[2])), drawn)
    with pytest.raises(UserError, match="needs a mask of its name"):
        dissect(Dissect(run=str(run), labeller=str(tmp_path / "paint"), out=tmp_path / "d", **FEW))


def test_directions_and_inversion_write_their_sheets(run, tmp_path):
    for method in ("sefa-code", "pca", "labelled"):
        task = Directions(run=run, method=method, count=3, samples=16, points=1, out=tmp_path / method, quiet=True)
        found = directions(Directions(**{**vars(task), "labeller": "brightness"}))
        assert len(found.directions) == 3
        assert found.sheet.is_file()
        assert 1 <= found.effective_rank <= 8
    found = invert(Invert(run=run, source="own", n=3, steps=4, encoder_steps=3, out=tmp_path / "i", quiet=True))
    assert found.median >= found.start_median
    assert found.sheet.is_file()


class Foreign(nn.Module):
    """A generator as others write it: modules alone, in place, with a batch norm."""

    def __init__(self) -> None:
        super().__init__()
        last = nn.ConvTranspose2d(8, 3, 4, 4)
        nn.init.normal_(last.weight, std=1.0)
        self.body = nn.Sequential(
            nn.ConvTranspose2d(6, 8, 4), nn.BatchNorm2d(8), nn.ReLU(inplace=True), last, nn.Tanh()
        )

    def forward(self, z):
        return self.body(z[:, :, None, None])


def make() -> nn.Module:
    return Foreign()


def test_a_generator_of_somebody_else_is_dissected_without_a_change(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "somebodys", sys.modules[__name__])
    task = Dissect(run="somebodys:make", input="1,6", labeller="brightness", twins=False, out=tmp_path / "d", **FEW)
    result = dissect(task)
    assert isinstance(result, DissectResult)
    assert [line.label for line in result.layers] == ["body.2"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"run": "nowhere"}, "There is no run nowhere"),
        ({"layers": ("blocks.9",)}, "There is no layer 'blocks.9'"),
        ({"layers": ("latent_norm",)}, "no layer 'latent_norm'|gives"),
        ({"labeller": "colors"}, "Did you mean 'colours'"),
        ({"labeller": "exact"}, "draws its pictures"),
        ({"pictures": 2}, "pictures=2 must be at least 8"),
        ({"input": "1,8"}, "leave --data and --input out"),
    ],
)
def test_what_cannot_be_is_said(run, tmp_path, changes, said):
    with pytest.raises(UserError, match=said):
        dissect(Dissect(**{"run": str(run), "out": tmp_path / "d", **FEW, **changes}))
    assert not (tmp_path / "d" / "dissection.html").exists()


def test_units_that_are_not_there_and_files_that_are_not_are_said(run, tmp_path):
    (tmp_path / "mine.json").write_text('{"layer": "blocks.1.1", "units": [99]}')
    with pytest.raises(UserError, match="has no unit 99"):
        dissect(Dissect(run=str(run), edit=tmp_path / "mine.json", out=tmp_path / "x"))
    with pytest.raises(UserError, match="There is no file"):
        dissect(Dissect(run=str(run), edit=tmp_path / "none.json", out=tmp_path / "x"))
    with pytest.raises(UserError, match="Say where: --out"):
        dissect(Dissect(run=str(run), edit=tmp_path / "mine.json"))


def test_a_labeller_whose_labels_do_not_occur_is_said(run, tmp_path):
    blind = Rule(
        identity="blind", labels=("nothing", "something"), rule=lambda images: torch.zeros(len(images), 8, 8).long()
    )
    own = of_run(run)
    with pytest.raises(UserError, match="calls every pixel 'nothing'"):
        dissection.dissect(own, blind, own.numbering.chosen(), dissection.DissectionSettings(pictures=8), quiet=True)


def test_a_run_of_points_is_refused(tmp_path):
    small = ("width=8", "depth=1", "batch_size=8", "burst_first=1", "burst_moves=2", "measure_kimg=-1")
    how = {"kimg": 0.008, "set": small, "quiet": True, "estimate": False}
    train(Train(model="gan/wgan", data="mixtures:segments,64", out=tmp_path / "p", **how))
    with pytest.raises(UserError, match="draws points"):
        dissect(Dissect(run=str(tmp_path / "p"), out=tmp_path / "d"))


def test_a_run_that_has_learnt_nothing_by_heart_is_as_near_to_fresh_scenes(run, tmp_path):
    found = memorisation(Memorisation(run=run, n=16, shown=3, out=tmp_path / "m", quiet=True))
    assert found.held_out == "scenes:32,8x8,seed=1"
    assert found.among == 32
    assert found.standard_error == pytest.approx(0.125)
    assert 0 <= found.share <= 1
    with Image.open(found.sheet) as sheet:
        assert sheet.size == (3 * 64 + 2, 3 * 64 + 2)
    with pytest.raises(UserError, match="are the pictures that the run was trained on"):
        memorisation(Memorisation(run=run, held_out="scenes:32,8x8", n=4, quiet=True))


def test_a_codes_scores_stand_beside_those_of_shuffled_factors(run):
    task = DisentanglementTask(run=run, data="scenes:64,seed=3", encoder_steps=2, shuffles=3, quiet=True)
    found = disentanglement(task)
    assert [line.name for line in found.scores] == ["disentanglement", "completeness", "informativeness", "mig"]
    assert all(0 <= line.floor <= 1 and line.floor_deviation > 0 for line in found.scores)
    assert {"horizon", "meadow", "coast", "night"} <= {line.factor for line in found.factors}
    with pytest.raises(UserError, match="the factors behind these pictures are not known"):
        disentanglement(replace(task, data="triangles:8"))
