import io
import json
import os
import tarfile
import zipfile

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.opening_sources import open_source


def tar_of(members, path, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def members_of(folder):
    return [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in sorted(folder.rglob("*.png"))]


def zip_of(members, path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_the_same_pictures_come_out_of_every_container(folder, pixels, tmp_path, kind):
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


def test_a_tar_keeps_its_own_order_and_a_zip_is_sorted(folder, tmp_path):
    backwards = members_of(folder)[::-1]
    tarred = prepare(str(tar_of(backwards, tmp_path / "x.tar")), quiet=True)
    zipped = prepare(str(zip_of(backwards, tmp_path / "x.zip")), quiet=True)
    assert tarred.names == [name for name, _ in backwards]
    assert zipped.names == [name for name, _ in backwards[::-1]]


def test_a_part_of_a_source_is_taken_by_its_folder(folder, pixels, tmp_path):
    archive = zip_of([(f"train/{name}", data) for name, data in members_of(folder)], tmp_path / "x.zip")
    assert len(prepare(f"{archive}::train/bee", quiet=True)) == 4
    assert prepare(f"{archive}::train", quiet=True).class_names == ("ant", "bee", "cow")
    assert prepare(f"{folder}::cow", quiet=True).labels is None
    with pytest.raises(UserError, match=r"no pictures in 'trian'\. Did you mean 'train'"):
        prepare(f"{archive}::trian", quiet=True)


@pytest.mark.parametrize("labels", [[["00000/0.png", 2], ["00000/1.png", 0]], None])
def test_a_stylegan_zip_takes_its_labels_from_dataset_json_alone(tmp_path, pixels, encode, labels):
    members = [(f"0000{index}/{index}.png", encode(pixels[index])) for index in range(2)]
    members = [(name.replace("00001/", "00000/"), data) for name, data in members]
    members.append(("dataset.json", json.dumps({"labels": labels}).encode()))
    found = prepare(str(zip_of(members, tmp_path / "x.zip")), quiet=True)
    assert (None if found.labels is None else found.labels.tolist()) == (None if labels is None else [2, 0])


def test_unsafe_names_links_and_devices_touch_nothing(tmp_path, pixels, encode):
    path = tmp_path / "in" / "x.tar"
    path.parent.mkdir()
    with tarfile.open(path, "w") as archive:
        for name in ("../../escaped.png", "/absolute.png"):
            info = tarfile.TarInfo(name)
            info.size = len(encode(pixels[0]))
            archive.addfile(info, io.BytesIO(encode(pixels[0])))
        for kind, name in (
            (tarfile.SYMTYPE, "link.png"),
            (tarfile.CHRTYPE, "device.png"),
            (tarfile.LNKTYPE, "hard.png"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert len(prepare(str(path), quiet=True)) == 2
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in"]


def test_hidden_and_foreign_files_are_passed_over(folder, pixels, encode):
    (folder / ".hidden.png").write_bytes(b"no")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "x.png").write_bytes(b"no")
    (folder / "Thumbs.db").write_bytes(b"no")
    (folder / "notes.txt").write_text("no")
    assert len(prepare(str(folder), quiet=True)) == len(pixels)


def test_links_to_pictures_are_followed_and_circles_end(folder, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    os.symlink(folder, linked / "there")
    os.symlink(linked, linked / "circle")
    assert len(prepare(str(linked), quiet=True)) == 12


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.xz", "tar.bz2", "zip"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_a_cut_archive_is_refused_wherever_it_is_cut(folder, tmp_path, kind, part):
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


def test_a_tar_cut_between_two_members_is_noticed(folder, tmp_path):
    path = tar_of(members_of(folder), tmp_path / "x.tar")
    with tarfile.open(path) as archive:
        end = archive.getmembers()[5].offset
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(UserError, match="has no end"):
        prepare(str(path), quiet=True)


def test_a_damaged_member_of_a_zip_is_named(folder, tmp_path, pixels):
    path = zip_of(members_of(folder), tmp_path / "x.zip")
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[3]
    data = bytearray(path.read_bytes())
    data[info.header_offset + 100] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"ant/03.png is damaged in the archive"):
        prepare(str(path), quiet=True)
    assert prepare(str(path), broken="skip", quiet=True).manifest["broken"][0][0] == "ant/03.png"


def test_nothing_to_read_is_said_with_what_is_there(tmp_path, folder):
    empty, other, archived = tmp_path / "empty", tmp_path / "other", tmp_path / "archived"
    for path in (empty, other, archived):
        path.mkdir()
    (other / "a.txt").write_text("x")
    zip_of(members_of(folder), archived / "pictures.zip")
    for path, says in ((empty, "is empty"), (other, r"1 \.txt"), (archived, "name that instead")):
        with pytest.raises(UserError, match=says):
            open_source(str(path))


def test_a_file_that_vanishes_is_broken_not_a_crash(folder):
    source = open_source(str(folder))
    (folder / "ant" / "00.png").unlink()
    from ganvas.data.conversion import Rules, convert

    rows = list(convert(source, Rules(broken="skip")))
    assert rows[0].broken[0][0] == "ant/00.png"
    assert sum(len(row.images) for row in rows) == 11


def test_zstandard_is_named(tmp_path):
    path = tmp_path / "x.tar.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(2000))
    with pytest.raises(UserError, match="Zstandard"):
        open_source(str(path))


def test_a_members_claim_of_gigabytes_is_not_believed(tmp_path, folder, monkeypatch):
    monkeypatch.setattr("ganvas.data.sources.files.LARGEST_BYTES", 100)
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
