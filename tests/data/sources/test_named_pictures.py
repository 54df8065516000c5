import json

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.survey import survey


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_the_same_pictures_come_out_of_every_container(folder, pixels, tmp_path, kind, members_of, tar_of, zip_of):
    source = folder
    if kind == "zip":
        source = zip_of(members_of(folder), tmp_path / "x.zip")
    elif kind.startswith("tar"):
        source = tar_of(members_of(folder), tmp_path / f"x.{kind}", f"w:{kind.partition('.')[2]}")
    found = prepare(str(source), quiet=True)
    assert (found.images == pixels).all()
    assert found.class_names == ("ant", "bee", "cow")
    assert found.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert found.names[0] == "ant/00.png"


def test_a_tar_keeps_its_own_order_and_a_zip_is_sorted(folder, tmp_path, members_of, tar_of, zip_of):
    backwards = members_of(folder)[::-1]
    tarred = prepare(str(tar_of(backwards, tmp_path / "x.tar")), quiet=True)
    zipped = prepare(str(zip_of(backwards, tmp_path / "x.zip")), quiet=True)
    assert tarred.names == [name for name, _ in backwards]
    assert zipped.names == [name for name, _ in backwards[::-1]]


def test_a_part_of_a_source_is_taken_by_its_folder(folder, pixels, tmp_path, members_of, zip_of):
    archive = zip_of([(f"train/{name}", data) for name, data in members_of(folder)], tmp_path / "x.zip")
    assert len(prepare(f"{archive}::train/bee", quiet=True)) == 4
    assert prepare(f"{archive}::train", quiet=True).class_names == ("ant", "bee", "cow")
    assert prepare(f"{folder}::cow", quiet=True).labels is None
    with pytest.raises(UserError, match=r"no pictures in 'trian'\. Did you mean 'train'"):
        prepare(f"{archive}::trian", quiet=True)


@pytest.mark.parametrize("labels", [[["00000/0.png", 2], ["00000/1.png", 0]], None])
def test_a_stylegan_zip_takes_its_labels_from_dataset_json_alone(tmp_path, pixels, encode, labels, zip_of):
    members = [(f"0000{index}/{index}.png", encode(pixels[index])) for index in range(2)]
    members = [(name.replace("00001/", "00000/"), data) for name, data in members]
    members.append(("dataset.json", json.dumps({"labels": labels}).encode()))
    found = prepare(str(zip_of(members, tmp_path / "x.zip")), quiet=True)
    assert (None if found.labels is None else found.labels.tolist()) == (None if labels is None else [2, 0])


def test_hidden_and_foreign_files_are_passed_over(folder, pixels, encode):
    (folder / ".hidden.png").write_bytes(b"no")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "x.png").write_bytes(b"no")
    (folder / "Thumbs.db").write_bytes(b"no")
    (folder / "notes.txt").write_text("no")
    assert len(prepare(str(folder), quiet=True)) == len(pixels)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.xz", "tar.bz2", "zip"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_a_cut_archive_is_refused_wherever_it_is_cut(folder, tmp_path, kind, part, members_of, tar_of, zip_of):
    whole = tmp_path / f"whole.{kind}"
    if kind == "zip":
        zip_of(members_of(folder), whole)
    else:
        tar_of(members_of(folder), whole, f"w:{kind.partition('.')[2]}")
    data = whole.read_bytes()
    if kind == "tar":
        data = data.rstrip(b"\0")  # The zeros at the end are padding that may be lost.
    cut = tmp_path / f"cut.{kind}"
    cut.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(UserError, match=r"cut short|damaged|no end"):
        prepare(str(cut), quiet=True)


def test_nothing_to_read_is_said_with_what_is_there(tmp_path, folder, members_of, zip_of):
    empty, other, archived = tmp_path / "empty", tmp_path / "other", tmp_path / "archived"
    for path in (empty, other, archived):
        path.mkdir()
    (other / "a.txt").write_text("x")
    zip_of(members_of(folder), archived / "pictures.zip")
    for path, says in ((empty, "is empty"), (other, r"1 \.txt"), (archived, "name that instead")):
        with pytest.raises(UserError, match=says):
            open_source(str(path))


def test_a_members_claim_of_gigabytes_is_not_believed(tmp_path, folder, monkeypatch, members_of, zip_of):
    monkeypatch.setattr("ganvas.data.sources.named_pictures.LARGEST_BYTES", 100)
    path = zip_of(members_of(folder), tmp_path / "x.zip")
    with pytest.raises(UserError, match="is larger than"):
        prepare(str(path), quiet=True)


def test_pixels_of_a_large_source_come_in_order_from_all_threads(tmp_path, rng, encode, monkeypatch):
    monkeypatch.setattr("ganvas.data.conversion.THREADS_FROM_PIXELS", 0)
    monkeypatch.setattr("ganvas.data.conversion.CORES", 4)
    monkeypatch.setattr("ganvas.data.conversion._MOST_FILES", 3)
    pixels = rng.integers(0, 256, (50, 4, 4, 3), np.uint8)
    for index, picture in enumerate(pixels):
        (tmp_path / f"{index:02d}.png").write_bytes(encode(picture))
    assert (prepare(str(tmp_path), quiet=True).images == pixels).all()


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_files_that_are_not_read_are_counted_by_their_ending(tmp_path, encode, pixels, tar_of, zip_of, kind):
    members = [("a/1.png", encode(pixels[0])), *((f"a/{n}.HEIC", b"x") for n in range(3)), ("a/b.jxl", b"x")]
    members += [("README", b"x"), (".DS_Store", b"x"), ("dataset.json", b'{"labels": null}'), ("c/d.cr2", b"x")]
    for name, data in members:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(data)
    path = {
        "folder": lambda: tmp_path / "set",
        "zip": lambda: zip_of(members, tmp_path / "x.zip"),
        "tar": lambda: tar_of(members, tmp_path / "x.tar"),
    }[kind]()
    assert survey(str(path)).passed_over == {".heic": 3, "(none)": 1, ".jxl": 1, ".cr2": 1}
    assert survey(f"{path}::a").passed_over == {".heic": 3, ".jxl": 1}


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_a_dataset_json_above_all_pictures_names_them_from_its_own_folder(
    tmp_path, encode, pixels, tar_of, zip_of, kind
):
    labels = json.dumps({"labels": [["00000/0.png", 1], ["00000/1.png", 0]]}).encode()
    members = [(f"photos/00000/{n}.png", encode(pixels[n])) for n in range(2)]
    members.append(("photos/dataset.json", labels))
    for name, data in members:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(data)
    path = {
        "folder": lambda: tmp_path / "set",
        "zip": lambda: zip_of(members, tmp_path / "x.zip"),
        "tar": lambda: tar_of(members, tmp_path / "x.tar"),
    }[kind]()
    assert prepare(str(path), quiet=True).labels.tolist() == [1, 0]
    assert prepare(f"{path}::photos", quiet=True).labels.tolist() == [1, 0]


def test_a_dataset_json_that_speaks_of_a_part_is_used_for_that_part_alone(tmp_path, encode, pixels, zip_of):
    labels = json.dumps({"labels": [["0.png", 3]]}).encode()
    members = [(f"{part}/0.png", encode(pixels[n])) for n, part in enumerate(("one", "two"))]
    members += [("one/dataset.json", labels), ("two/dataset.json", labels)]
    path = zip_of(members, tmp_path / "x.zip")
    found = survey(str(path))
    assert found.labels == {"one": 1, "two": 1}
    assert "dataset.json in one, two is not used" in found.about_labels
    assert prepare(f"{path}::one", quiet=True).labels.tolist() == [3]


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_a_dataset_json_of_gigabytes_is_refused_by_the_size_that_is_said_of_it(
    tmp_path, encode, pixels, tar_of, zip_of, kind, monkeypatch
):
    monkeypatch.setattr("ganvas.data.sources.labels.LARGEST_JSON_BYTES", 100)
    members = [("0.png", encode(pixels[0])), ("dataset.json", b'{"labels": null}' + b" " * 200)]
    (tmp_path / "set").mkdir()
    for name, data in members:
        (tmp_path / "set" / name).write_bytes(data)
    path = {
        "folder": lambda: tmp_path / "set",
        "zip": lambda: zip_of(members, tmp_path / "x.zip"),
        "tar": lambda: tar_of(members, tmp_path / "x.tar"),
    }[kind]()
    with pytest.raises(UserError, match="has 216 bytes; at most 100 are read"):
        prepare(str(path), quiet=True)
