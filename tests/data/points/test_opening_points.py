import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.points.opening_points import is_points, open_points
from ganvas.data.points.packed_points import pack_points
from ganvas.data.sources.opening_sources import open_source


def test_points_are_told_from_pictures_by_name_and_first_bytes(tmp_path):
    np.save(tmp_path / "points.npy", np.zeros((5, 2), np.float32))
    np.savez(tmp_path / "points.npz", x=np.zeros((5, 2)), y=np.arange(5))
    (tmp_path / "points.csv").write_text("1,2\n")
    pack_points("mixtures:ring8,50", tmp_path / "packed")
    for name in ("points.npy", "points.npz", "points.npz::x", "points.csv", "packed"):
        assert is_points(f"{tmp_path}/{name}")
    assert is_points("mixtures:grid25")
    assert is_points("mixtures")


def test_everything_else_is_not_points(tmp_path):
    np.save(tmp_path / "pictures.npy", np.zeros((5, 8, 8), np.uint8))
    np.save(tmp_path / "volume.npy", np.zeros((5, 8, 8)))
    np.savez(tmp_path / "pictures.npz", images=np.zeros((5, 8, 8), np.uint8), labels=np.arange(5))
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY\x01")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04")
    for name in ("pictures.npy", "volume.npy", "pictures.npz", "broken.npy", "broken.npz", "nowhere.csv", "", "x::y"):
        assert not is_points(f"{tmp_path}/{name}")
    assert not is_points("scenes:5000")


def test_a_folder_of_that_name_is_a_folder(tmp_path, monkeypatch):
    (tmp_path / "mixtures").mkdir()
    monkeypatch.chdir(tmp_path)
    assert not is_points("mixtures")
    assert is_points("mixtures:grid25")


def test_pictures_are_not_asked_of_points(tmp_path):
    (tmp_path / "points.csv").write_text("1,2\n")
    for spec in ("mixtures:grid25", str(tmp_path / "points.csv")):
        with pytest.raises(UserError, match="holds points, and pictures are wanted"):
            open_source(spec)


def test_what_is_not_there_is_named_with_what_is_near(tmp_path):
    (tmp_path / "points.csv").write_text("1,2\n")
    with pytest.raises(UserError, match=r"Did you mean 'points\.csv'"):
        open_points(str(tmp_path / "point.csv"))
    with pytest.raises(UserError, match="holds no points"):
        open_points(str(tmp_path))
