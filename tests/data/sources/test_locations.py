from pathlib import Path

import pytest

from ganvas.core.errors import UserError
from ganvas.data.sources.locations import expanded, lasting_name, refuse_out_inside, split_part
from ganvas.data.sources.opening_sources import open_source


@pytest.mark.parametrize("name", ["scenes", "triangles"])
def test_a_folder_named_like_a_built_in_set_is_never_passed_by_for_it(folder, monkeypatch, name):
    folder.rename(folder.with_name(name))
    monkeypatch.chdir(folder.parent)
    assert lasting_name("mixtures:grid25") == "mixtures:grid25"
    for read in (open_source, lasting_name):
        with pytest.raises(UserError, match=rf"Write \./{name} for yours, or {name}:20000"):
            read(name)
    assert open_source(f"./{name}").kind == "folder"
    assert open_source(f"{name}:5").kind == name
    assert lasting_name(f"./{name}") == str(folder.with_name(name))


def test_a_lasting_name_means_the_same_from_anywhere(folder, monkeypatch, tmp_path):
    odd = folder.rename(folder.with_name("we::ird"))
    monkeypatch.chdir(odd.parent)
    assert lasting_name("we::ird") == str(odd)
    assert lasting_name("we::ird::ant") == f"{odd}::ant"
    assert lasting_name("scenes:5,8x8") == "scenes:5,8x8"
    assert lasting_name("scenes") == "scenes"
    assert lasting_name("fetched:mnist::train") == "fetched:mnist::train"
    monkeypatch.setenv("HOME", str(odd.parent))
    assert lasting_name("~/we::ird") == str(odd)
    monkeypatch.chdir(tmp_path.parent)
    assert open_source(f"{odd}::ant").total == 4


def test_the_longest_path_that_is_there_is_taken_before_the_part(folder):
    odd = folder.rename(folder.with_name("a::b"))
    odd.with_name("a").mkdir()
    assert split_part(f"{odd}::bee") == (str(odd), "bee")
    assert split_part(str(odd)) == (str(odd), "")
    assert split_part("nowhere::x::y") == ("nowhere", "x::y")


def test_a_home_folder_that_is_not_known_is_a_users_error():
    for read in (expanded, open_source):
        with pytest.raises(UserError, match="no such home folder"):
            read("~no-such-person/photos")


def test_a_run_inside_its_own_pictures_is_refused(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    for out in (Path("pictures"), Path("pictures/runs/new"), folder / "x", Path("pictures/../pictures/x")):
        with pytest.raises(UserError, match="lies inside pictures, the folder of the pictures"):
            refuse_out_inside("pictures", out)
    with pytest.raises(UserError, match="Choose a place outside"):
        refuse_out_inside("pictures::ant", Path("pictures/new"))
    refuse_out_inside("pictures", Path("pictures-run"))
    refuse_out_inside("scenes", Path("scenes-run"))
