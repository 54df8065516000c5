"""Measurements and statistics as a person calls them: what is shown, and one clear line for what cannot be."""

import json
import pickle

import numpy as np
import pytest

from .conftest import call, draw

LOOK = ("--features", "untrained")


@pytest.fixture(scope="module")
def ref(pictures, tmp_path_factory):
    """Statistics of the 24 pictures. Read only: tests share them."""
    path = tmp_path_factory.mktemp("made") / "ref.npz"
    said = call("stats", pictures, "-o", path, "--metrics", "fid,kid", *LOOK)
    assert said.json["n"] == 24
    assert "24 pictures" in said.stderr
    assert "untrained@" in said.stderr
    return path


def refused(*arguments):
    """One clear line, and exit code 2."""
    said = call(*arguments)
    assert (said.code, said.stdout) == (2, ""), said.stderr
    assert said.stderr.startswith("Error: ")
    assert said.stderr.count("\n") == 1
    return said.stderr


def test_a_set_against_its_own_statistics_is_at_no_distance(pictures, ref):
    said = call("measure", pictures, "--ref", ref, "--metrics", "fid,kid", *LOOK)
    by_name = {one["metric"]: one for one in said.json["results"]}
    assert by_name["fid"]["value"] == pytest.approx(0, abs=1e-9)
    assert by_name["kid"]["value"] <= 1e-9  # Unbiased: of a set against itself below 0.
    assert all("untrained@" in one["protocol"] and ":ref=" in one["protocol"] for one in by_name.values())
    assert "24 pictures on each side" in " ".join(said.stderr.split())  # Long paths wrap the title anywhere.


@pytest.mark.slow
def test_what_all_leaves_out_is_said_once_per_reason_with_the_way_out(pictures, monkeypatch):
    monkeypatch.delenv("GANVAS_WEIGHTS_INCEPTION", raising=False)
    said = call("measure", pictures, pictures, "--metrics", "all", "-n", 24)
    (line,) = [line for line in said.stderr.splitlines() if line.startswith("Skipped") and " fid" in line]
    assert "kid" in line
    assert "--weights" in line
    assert "fid" in said.json["skipped"]
    assert "swd" in {one["metric"] for one in said.json["results"]}


@pytest.mark.slow
def test_a_run_is_measured_against_a_file_and_remembers_what_was_left_out(finished, pictures, tmp_path):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(finished, run)
    call("stats", pictures, "-o", tmp_path / "ref.npz", "--metrics", "kid", *LOOK).json  # noqa: B018
    said = call("measure", run, "--ref", tmp_path / "ref.npz", "--metrics", "all", *LOOK)
    kept = json.loads((run / "measures.jsonl").read_text().splitlines()[-1])
    assert kept["skipped"] == said.json["skipped"]
    assert "holds nothing for swd" in said.json["skipped"]["swd"]
    assert said.json["n"] == 24


@pytest.mark.parametrize("n", [-4, 0])
def test_a_number_that_cannot_be_is_named(pictures, n):
    assert f"-n {n}: the number of pictures must be at least 1" in refused("measure", pictures, pictures, "-n", n)
    assert "must be at least 1" in refused("stats", pictures, "-o", "x.npz", "-n", n)


def test_too_small_a_number_says_which_would_do(pictures):
    assert "--n 3 is too few; swd needs at least 16 on each side. Ask for more: --n 16." in refused(
        "measure", pictures, pictures, "-n", 3
    )


class Bomb:
    def __reduce__(self):
        return print, ("ran",)


def make_bad(folder):
    """Files that cannot be references, and what the line says of each."""
    sigma = np.eye(256)
    np.savez(folder / "whole.npz", mu=np.zeros(256), sigma=sigma)
    (folder / "cut.npz").write_bytes((folder / "whole.npz").read_bytes()[:-300])
    np.savez(folder / "pickled.npz", mu=np.array([Bomb()], object), sigma=sigma)
    (folder / "bomb.pkl").write_bytes(pickle.dumps({"fid": Bomb()}))
    np.savez(folder / "wide.npz", mu=np.zeros(2048), sigma=np.eye(2048, dtype=np.float32))
    np.savez(folder / "oblong.npz", mu=np.zeros(256), sigma=sigma[:, :5])
    np.savez(folder / "odd.npz", mu=np.zeros(256), sigma=np.where(sigma > 0, np.nan, 0))
    np.savez(folder / "keys.npz", mean=np.zeros(256))
    (folder / "text.npz").write_text("hello")
    return {
        "cut.npz": "cut short or damaged",
        "pickled.npz": "pickled Python objects",
        "bomb.pkl": "could run any program",
        "wide.npz": "is of another network: its features are 2048 numbers",
        "oblong.npz": "and should be 256 x 256",
        "odd.npz": "nan or infinity",
        "keys.npz": "holds mean float64[256], and neither mu and sigma",
        "text.npz": "cut short or damaged",
        "none.npz": "There is no file of statistics",
    }


def test_a_reference_that_cannot_be_is_told_in_one_line(pictures, tmp_path):
    for name, said in make_bad(tmp_path).items():
        line = refused("measure", pictures, "--ref", tmp_path / name, "--metrics", "fid", *LOOK)
        assert said in line, line
        assert name in line


def test_statistics_of_a_folder_that_cannot_be_leave_nothing_behind(tmp_path):
    assert "Did you mean 'photos'?" in refused("stats", draw(tmp_path / "photos", 2) / "../photoes", "-o", "x.npz")
    assert "a file of statistics is a .npz" in refused("stats", tmp_path / "photos", "-o", tmp_path / "photos")
    assert "Did you mean 'fid'?" in refused("stats", tmp_path / "photos", "-o", tmp_path / "x.npz", "--metrics", "fidd")
    assert "no feature network 'inceptoin'" in refused(
        "stats", tmp_path / "photos", "-o", tmp_path / "x.npz", "--features", "inceptoin"
    )
    assert not list(tmp_path.glob("*.npz"))


def test_the_catalogue_says_what_each_sees_what_it_needs_and_what_it_costs():
    said = call("metrics")
    listed = {one["name"]: one for one in said.json["metrics"]}
    assert (listed["fid"]["sees"], listed["fid"]["network"]) == ("features", "inception")
    assert listed["inception_score"]["alone"]
    assert all(one["cost"] for one in listed.values())
    assert "sees: features of inception" in said.stderr
