"""``ganvas compare`` on real, tiny runs."""

import dataclasses
import json
import shutil

import pytest

from ganvas.core.errors import UserError
from ganvas.tasks.comparing.compare import Compare, compare
from ganvas.tasks.train import Train, train

PICTURES = "scenes:16,16x16"
SMALL = ("resolution=16", "latent_size=4", "batch_size=8", "measure_kimg=-1", "sample_kimg=1", "health_kimg=-1")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[str, str]:
    """A GAN and a VAE after two steps each. Read only."""
    folder = tmp_path_factory.mktemp("compared")
    for name, model in (("gan", "gan/dcgan"), ("vae", "vae/vae")):
        task = Train(
            model=model,
            data=PICTURES,
            out=folder / name,
            set=(*SMALL, "features=4"),
            kimg=0.016,
            quiet=True,
            estimate=False,
            device="cpu",
        )
        train(task)
    return str(folder / "gan"), str(folder / "vae")


@pytest.fixture
def own_runs(runs, tmp_path):
    return tuple(str(shutil.copytree(run, tmp_path / run.rpartition("/")[2])) for run in runs)


def test_runs_that_have_measured_nothing_are_compared_by_cost_and_stay_as_they_are(runs, tmp_path):
    result = compare(Compare(runs=runs, out=tmp_path / "c.html", sheet=2, quiet=True))
    plain = json.loads(result.json.read_text())
    assert [one["model"] for one in plain["models"]] == ["gan/dcgan", "vae/vae"]
    assert all(one["values"]["draw_evaluations"]["value"] == 1 for one in plain["models"])
    assert all(one["values"]["train_nimg"]["value"] == 16 for one in plain["models"])
    assert {one["name"] for one in plain["settings_unlike"]} >= {"model", "lr"}
    assert result.page.read_text().count("<img") == 3
    assert result.csv.read_text().count("\n") == 3


def test_runs_are_measured_alike_where_a_number_is_given_and_once_is_enough(own_runs, tmp_path):
    task = Compare(runs=own_runs, out=tmp_path / "c.html", n=12, metrics=("ms_ssim",), sheet=0, quiet=True)
    first = json.loads(compare(task).json.read_text())
    lines = [(tmp_path / name / "measures.jsonl").read_text() for name in ("gan", "vae")]
    again = json.loads(compare(task).json.read_text())
    assert lines == [(tmp_path / name / "measures.jsonl").read_text() for name in ("gan", "vae")]
    assert first["not_compared"] == []
    assert [one["values"]["ms_ssim"] for one in first["models"]] == [
        one["values"]["ms_ssim"] for one in again["models"]
    ]


def test_what_was_measured_unlike_is_kept_apart(own_runs, tmp_path):
    from ganvas.tasks.measure import Measure, measure

    for run, n in zip(own_runs, (8, 12), strict=True):
        measure(Measure(a=run, n=n, metrics=("ms_ssim",), quiet=True))
    result = compare(Compare(runs=own_runs, out=tmp_path / "c.html", sheet=0, quiet=True))
    plain = json.loads(result.json.read_text())
    assert all("ms_ssim" not in one["values"] for one in plain["models"])
    assert [(one["name"], one["n"]) for one in plain["not_compared"]] == [("gan", 8), ("vae", 12)]
    assert "Not compared: MS-SSIM of gan" in result.printed


def test_dials_are_turned_against_one_draw_of_reals(runs, tmp_path):
    task = Compare(
        runs=runs, out=tmp_path / "c.html", turn=("temperature",), features="untrained", n=None, sheet=0, quiet=True
    )
    plain = json.loads(compare(task).json.read_text())
    assert [one["name"] for one in plain["precision_recall"]["turned"]] == ["gan", "vae"]
    assert all(len(one["precision"]) == len(one["values"]) for one in plain["precision_recall"]["turned"])


def test_distances_and_bounds_are_held_against_pictures_that_were_never_seen(own_runs, tmp_path):
    task = Compare(
        runs=own_runs,
        out=tmp_path / "c.html",
        held_out="scenes:20,16x16,seed=1",
        n=64,
        metrics=("swd",),
        sheet=0,
        quiet=True,
    )
    with pytest.raises(UserError, match="16 pictures"):
        compare(task)
    plain = json.loads(compare(dataclasses.replace(task, n=None)).json.read_text())
    gan, vae = ({key for key in one["values"] if key.endswith("held_out")} for one in plain["models"])
    assert gan == {"swd.train_minus_held_out"}
    assert vae == {"swd.train_minus_held_out", "bits_per_dimension.train_minus_held_out"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"runs": ()}, "No run is given"),
        ({"out": "page.txt"}, r"ends in \.html"),
        ({"sheet": -1}, "--sheet -1"),
        ({"turn": ("guidance",)}, "none of the models has such a dial"),
        ({"data": "nowhere/", "n": 4}, "nowhere"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(runs, tmp_path, change, said):
    from pathlib import Path

    settings = {"runs": runs, "out": "page.html", "quiet": True} | change
    with pytest.raises(UserError, match=said):
        compare(Compare(**settings | {"out": tmp_path / Path(settings["out"])}))
    assert list(tmp_path.iterdir()) == []


def test_a_dial_that_no_model_has_is_refused_before_anything_is_measured(own_runs, tmp_path):
    task = Compare(runs=own_runs, out=tmp_path / "c.html", n=8, metrics=("ms_ssim",), turn=("guidance",), quiet=True)
    with pytest.raises(UserError, match="none of the models has such a dial"):
        compare(task)
    assert not list(tmp_path.glob("*/measures.jsonl"))


def test_a_run_named_twice_and_a_model_folder_are_refused(runs, tmp_path):
    with pytest.raises(UserError, match="twice"):
        compare(Compare(runs=(runs[0], runs[0]), out=tmp_path / "c.html"))
    with pytest.raises(UserError, match="one model of a run"):
        compare(Compare(runs=(f"{runs[0]}/model/000000.016",), out=tmp_path / "c.html"))
