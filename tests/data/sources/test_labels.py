import json

import pytest

from ganvas.core.errors import UserError
from ganvas.data.sources import labels


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["a/1.png", "b/1.png"], ("a", "b")),
        (["train/cat/1.png", "test/cat/1.png", "test/dog/1.png"], ("cat", "dog")),
        (["0/1.png", "1/1.png"], ("0", "1")),
        (["n01440764/1.png", "n01443537/1.png"], ("n01440764", "n01443537")),
        (["1.png", "2.png"], None),
        (["128/1.png", "128/2.png"], None),
        (["train/1.png", "test/1.png"], None),
        (["Train/1.png", "Val/1.png"], None),
        (["train2017/1.png", "val2017/1.png"], None),
        (["train/1.png", "test/1.png", "unlabeled/1.png"], None),
        (["00000/1.png", "01000/1.png"], None),
        (["1.png", "a/1.png"], None),
    ],
)
def test_the_folder_is_the_class_unless_it_is_a_split_or_a_shard(names, classes):
    found = labels.from_folders(names)
    assert (None if found is None else found.class_names) == classes


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["1.png"], "No picture lies in a sub-folder."),
        (["train2017/1.png", "val2017/1.png"], "The folders train2017, val2017 are parts of a split, not classes."),
        (["00000/1.png", "01000/1.png"], "The folders 00000, 01000 are numbered parts, not classes."),
        (["a/1.png"], "All pictures lie in one folder, a."),
        (
            ["n01/images/1.png", "n02/images/2.png"],
            "Every picture lies in a folder named images, and the folders above those (n01, n02) are not used: "
            "a class is the folder that its pictures lie in.",
        ),
        (
            ["stray.png", "a/1.png", "b/2.png"],
            "stray.png lies in no sub-folder, so that the folders (a, b) are taken for no classes.",
        ),
        (
            ["cat/2022/1.png", "dog/2022/2.png", "dog/2023/3.png"],
            "Classes are the folders that pictures lie in (2022, 2023); those above (cat, dog) are not used.",
        ),
        (["a/1.png", "b/2.png"], ""),
        (["train/a/1.png", "test/a/2.png", "test/b/3.png"], ""),
    ],
)
def test_which_folders_were_looked_at_is_said(names, says):
    assert labels.about_folders(names) == says


@pytest.mark.parametrize("stray", [100_000, 10**9, 2**63, 10**30])
def test_a_stray_class_number_in_dataset_json_is_refused(stray):
    text = json.dumps({"labels": [["1.png", stray], ["2.png", 0]]}).encode()
    with pytest.raises(UserError, match=f"class number {stray} for 2 pictures: a stray number"):
        labels.from_dataset_json(text, ["1.png", "2.png"], where="x.zip")


def test_as_many_classes_as_pictures_are_possible():
    labels.check_largest(200_000, 200_001, "x")
    labels.check_largest(99_999, 2, "x")  # A few pictures of a set of many classes.


def test_nested_json_without_end_is_no_crash():
    with pytest.raises(UserError, match="not JSON of the form"):
        labels.from_dataset_json(b"[" * 100_000, ["1.png"], where="x.zip")


def test_classes_are_numbered_by_name_and_every_picture_gets_its_own():
    found = labels.from_folders(["b/1.png", "a/1.png", "b/2.png"])
    assert found.values.tolist() == [1, 0, 1]


def test_dataset_json_gives_classes_by_name_in_any_order():
    text = json.dumps({"labels": [["00000/2.png", 5], ["00000/1.png", 0]]}).encode()
    found = labels.from_dataset_json(text, ["00000/1.png", "00000/2.png"], where="x.zip")
    assert found.values.tolist() == [0, 5]
    assert len(found.class_names) == 6


def test_dataset_json_with_null_has_no_labels():
    assert labels.from_dataset_json(b'{"labels": null}', ["1.png"], where="x.zip") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"labels": [["2.png", 1]]}', "no label for 1.png"),
        (b'{"labels": [["1.png", [0.5, 1]]]}', "not class numbers"),
        (b'{"labels": [["1.png", -1]]}', "not class numbers"),
        (b'{"labels": [["1.png", true]]}', "not class numbers"),
        (b'{"labels": 3}', "not JSON of the form"),
        (b"[]", "not JSON of the form"),
        (b'{"labels": [["1.png", 1]', "not JSON of the form"),
    ],
)
def test_a_wrong_dataset_json_is_refused(text, says):
    with pytest.raises(UserError, match=says):
        labels.from_dataset_json(text, ["1.png"], where="x.zip")


@pytest.mark.parametrize(
    "name", ["a/.hidden.png", "__MACOSX/a/1.png", ".cache/1.png", "Thumbs.db", "a.txt", "a/._1.png"]
)
def test_what_systems_leave_behind_is_no_picture(name):
    assert not labels.is_picture(name)


def test_names_are_tidied_and_never_followed():
    assert labels.tidy("./a\\b.png") == "a/b.png"
    assert labels.tidy("/etc/x.png") == "etc/x.png"
    assert labels.is_picture("../../x.PNG")
