"""A model of several kinds of sample: the source chooses, from the command to what is drawn."""

import json

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.tasks.train import Train, train
from ganvas.train.kinds.domain_kind import DomainKind
from ganvas.train.kinds.kinds import kind_of
from ganvas.train.kinds.picture_kind import PictureKind
from ganvas.train.kinds.point_kind import PointKind
from ganvas.train.trained import load, unit_of_run

SETTINGS = ("width=8", "depth=1", "features=4", "batch_size=8", "burst_first=1", "burst_moves=2", "measure_kimg=-1")


def begin(out, data, *changes):
    task = Train(model="gan/wgan", data=data, out=out, kimg=0.04, set=(*SETTINGS, *changes), quiet=True, estimate=False)
    return train(task)


@pytest.fixture
def sources(tmp_path):
    """Pictures and points as files whose names tell nothing."""
    np.savez(tmp_path / "a.npz", images=np.random.default_rng(0).integers(0, 256, (9, 16, 24, 1), dtype=np.uint8))
    np.savez(tmp_path / "b.npz", rows=np.random.default_rng(0).normal(size=(30, 3)))
    (tmp_path / "c.csv").write_text("1,2\n3,4\n5,7\n")
    return {"a": str(tmp_path / "a.npz"), "b": str(tmp_path / "b.npz"), "c": str(tmp_path / "c.csv")}


@pytest.mark.parametrize("takes", [(Pictures, Points), (Points, Pictures)])
def test_the_source_chooses_among_the_kinds_that_a_model_takes(sources, takes):
    for source in ("mixtures:grid25", sources["b"], sources["c"]):
        assert isinstance(kind_of(takes, source), PointKind)
    for source in ("scenes:8,16x16", sources["a"], "no/such/folder"):
        assert isinstance(kind_of(takes, source), PictureKind)


def test_a_model_of_one_kind_is_never_asked():
    assert isinstance(kind_of((Pictures,), "mixtures:grid25"), PictureKind)
    assert isinstance(kind_of((Points,), "scenes:8,16x16"), PointKind)
    assert isinstance(kind_of((Domains,), "mixtures:grid25"), DomainKind)


def test_one_model_trains_on_pictures_and_on_points_with_settings_read_off_each(sources, tmp_path):
    assert begin(tmp_path / "pictures", sources["a"]).finished
    assert begin(tmp_path / "points", sources["b"]).finished
    settings = [json.loads((tmp_path / of / "run.json").read_text())["config"] for of in ("pictures", "points")]
    assert [one["dims"] for one in settings] == [0, 3]
    assert [one["clip"] for one in settings] == [0.01, 0.1]  # The paper's for pictures; ours for points.
    assert (settings[0]["base"], settings[0]["resolution"], settings[0]["channels"]) == ([4, 6], 16, 1)
    pictures, points = load(tmp_path / "pictures"), load(tmp_path / "points")
    assert (pictures.draws_points, points.draws_points) == (False, True)
    assert pictures.sample(3).bytes.shape == (3, 16, 24, 1)
    assert points.sample_points(3).shape == (3, 3)
    for of in ("pictures", "points"):  # Which it is can be told without weights.
        next(tmp_path.glob(f"{of}/model/*/model.safetensors")).unlink()
        assert unit_of_run(tmp_path / of) == of


@pytest.mark.parametrize(("source", "dims", "says"), [("a", 2, "dims=2 is of points"), ("b", 0, "dims=0, but")])
def test_a_number_of_dimensions_that_the_source_has_not_is_refused(sources, tmp_path, source, dims, says):
    with pytest.raises(UserError, match=says):
        begin(tmp_path / "run", sources[source], f"dims={dims}")
    assert not (tmp_path / "run").exists()


def test_a_run_of_points_does_not_resume_on_pictures_nor_the_other_way_round(sources, tmp_path):
    begin(tmp_path / "points", sources["c"])
    begin(tmp_path / "pictures", sources["a"])
    with pytest.raises(UserError, match="is of points"):
        begin(tmp_path / "points", sources["a"])
    with pytest.raises(UserError, match="dims=0"):
        begin(tmp_path / "pictures", sources["c"])
