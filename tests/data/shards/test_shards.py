"""Pictures that stay in tar files: what is read of them, and what is refused."""

import io
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data.packed import Packed
from ganvas.data.packing import pack, prepare
from ganvas.data.shards.shard_files import spelled_out
from ganvas.data.sources.locations import lasting_name
from ganvas.data.survey import survey


def png(pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write_shard(path, files) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def given(tmp_path, random):
    """Three labelled shards of 5, 6 and 7 pictures, and the pictures in their order."""
    folder, pictures = tmp_path / "shards", []
    folder.mkdir()
    for shard in range(3):
        files = []
        for number in range(5 + shard):
            pictures.append(random.integers(0, 256, (8, 10, 3), dtype=np.uint8))
            key = f"{shard}/{number:04d}"
            files += [
                (f"{key}.png", png(pictures[-1])),
                (f"{key}.cls", f"{number % 2}\n".encode()),
                (f"{key}.json", b"{}"),
            ]
        write_shard(folder / f"{shard:03d}.tar", files)
    return folder, np.stack(pictures)


def test_rows_are_the_pictures_in_the_order_asked_with_their_classes(given, tmp_path):
    folder, pictures = given
    found = prepare(f"{folder}/{{000..002}}.tar", cache=tmp_path / "cache", quiet=True)
    assert (len(found), found.height, found.width, found.channels, found.treated) == (18, 8, 10, 3, ())
    rows = np.array([17, 0, 5, 5, 11])
    assert np.array_equal(found.read(rows), pictures[rows])
    assert np.array_equal(found.read(slice(None)), pictures)
    assert found.class_names == ("0", "1")
    assert found.labels.tolist() == [number % 2 for count in (5, 6, 7) for number in range(count)]
    assert found.rows_of_shards == [5, 6, 7]
    assert found.names[5] == "1/0000.png"
    found.verify()
    assert np.array_equal(pickle.loads(pickle.dumps(found)).read(rows), pictures[rows])


def test_a_folder_of_tar_files_is_the_same_set_and_the_second_time_it_is_not_indexed_again(
    given, tmp_path, monkeypatch
):
    folder, _ = given
    how = {"cache": tmp_path / "cache", "quiet": True}
    first = prepare(f"{folder}/{{000..002}}.tar", **how)
    monkeypatch.setattr("ganvas.data.shards.shard_index.shards_in", None)
    assert prepare(str(folder), **how).fingerprint == first.fingerprint
    assert prepare(str(folder), size=(4, 5), **how).fingerprint != first.fingerprint


def test_another_size_is_what_a_pack_of_the_same_pictures_has(given, tmp_path):
    folder, _ = given
    how = {"size": (4, 4), "channels": 1, "fit": "crop", "quiet": True}
    found = prepare(str(folder), cache=tmp_path / "cache", **how)
    packed = pack(str(folder), tmp_path / "packed", **how)
    assert type(packed) is Packed
    assert np.array_equal(found.read(slice(None)), packed.read(slice(None)))
    assert np.array_equal(found.labels, packed.labels)
    assert found.treated == packed.treated


def test_a_survey_reads_the_index(given, monkeypatch):
    folder, _ = given
    survey(str(folder))
    monkeypatch.setattr("ganvas.data.shards.shard_index.shards_in", None)
    found = survey(str(folder))
    assert (found.kind, found.count, found.sizes, found.modes) == ("shards", 18, {(8, 10): 18}, {"RGB": 18})
    assert found.labels == {"0": 10, "1": 8}


def test_without_classes_in_the_samples_folders_are_classes(tmp_path, random):
    picture = png(random.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    (tmp_path / "s").mkdir()
    write_shard(tmp_path / "s" / "0.tar", [("cat/1.png", picture), ("dog/1.png", picture), ("cat/2.png", picture)])
    found = prepare(str(tmp_path / "s"), cache=tmp_path / "cache", quiet=True)
    assert (found.class_names, found.labels.tolist()) == (("cat", "dog"), [0, 1, 0])


def test_missing_shards_are_named_before_anything_is_read(given):
    folder, _ = given
    with pytest.raises(UserError, match=r"2 of the 5 shards of .* are not there: .*003\.tar, .*004\.tar"):
        prepare(f"{folder}/{{000..004}}.tar", quiet=True)


def test_a_shard_that_a_folder_lacks_between_the_others_is_named(given):
    folder, pictures = given
    (folder / "001.tar").rename(folder / "other.tar")
    with pytest.raises(UserError, match=r"by their numbers 1 more belong to them: 001\.tar"):
        prepare(str(folder), quiet=True)
    assert len(prepare(f"{folder}/{{000,002}}.tar", quiet=True)) == len(pictures) - 6


def test_compressed_shards_beside_plain_ones_are_not_passed_over(given):
    folder, _ = given
    with tarfile.open(folder / "003.tar.gz", "w:gz"):
        pass
    with pytest.raises(UserError, match=r"compressed ones, such as 003\.tar\.gz"):
        prepare(str(folder), quiet=True)


def test_shards_of_two_layouts_are_refused(given, tmp_path, random):
    folder, _ = given
    write_shard(folder / "003.tar", [("a.png", png(random.integers(0, 256, (8, 10, 3), dtype=np.uint8)))])
    message = r"two layouts: 0/0000 in .*000\.tar is cls \+ picture, and a in .*003\.tar is picture"
    with pytest.raises(UserError, match=message):
        prepare(str(folder), cache=tmp_path / "cache", quiet=True)
    assert not list((tmp_path / "cache" / "packs").glob("*/manifest.json")), "no half of an index is kept"


@pytest.mark.parametrize("left", [1, 511, 512, 700, 1100, 3000, -1024, -10240])
def test_a_shard_that_is_cut_short_anywhere_is_refused(given, tmp_path, left):
    folder, _ = given
    shard = folder / "001.tar"
    content = shard.read_bytes()
    end = content.rstrip(b"\0")  # Records of zeros behind the last file are padding, but for one.
    padded = -(-len(end) // 512) * 512
    shard.write_bytes(content[:left] if left > 0 else content[: padded + left + 1024])
    if left == -1024:
        shard.write_bytes(content[:padded])
    with pytest.raises(UserError, match=r"001\.tar"):
        prepare(str(folder), cache=tmp_path / "cache", quiet=True)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("a.txt", b"x")], "has no picture"),
        ([("a.png", None), ("a.jpg", None)], "has 2 pictures"),
        ([("a.png", None), ("a.cls", b"cat")], "the number of a class is wanted"),
        ([("a.png", b"nothing")], "is not a picture|cannot be decoded"),
        ([], "no picture"),
    ],
)
def test_samples_that_cannot_be_are_refused_by_name(tmp_path, random, files, message):
    picture = png(random.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    (tmp_path / "s").mkdir()
    write_shard(tmp_path / "s" / "0.tar", [(name, picture if data is None else data) for name, data in files])
    with pytest.raises(UserError, match=message):
        prepare(str(tmp_path / "s"), cache=tmp_path / "cache", quiet=True)


def test_what_is_compressed_or_may_be_broken_is_to_be_packed(given, tmp_path):
    folder, _ = given
    with pytest.raises(UserError, match=r"--broken skip.*pack them"):
        prepare(str(folder), broken="skip", cache=tmp_path / "cache", quiet=True)
    (folder / "003.tar").write_bytes(b"\x1f\x8b" + bytes(600))
    with pytest.raises(UserError, match=r"003\.tar is no plain tar file"):
        prepare(str(folder), cache=tmp_path / "cache", quiet=True)


def test_a_shard_that_changes_during_a_training_is_noticed(given, tmp_path):
    folder, _ = given
    found = prepare(str(folder), cache=tmp_path / "cache", quiet=True)
    shard = folder / "000.tar"
    content = bytearray(shard.read_bytes())
    at = content.index(b"\x89PNG") + 20
    content[at] ^= 255
    shard.write_bytes(content)
    with pytest.raises(UserError, match=r"000\.tar changed while"):
        found.read(np.arange(3))


def test_braces_are_those_of_a_shell():
    assert spelled_out("s/{008..011}.tar") == ["s/008.tar", "s/009.tar", "s/010.tar", "s/011.tar"]
    assert spelled_out("{a,b}{8..9}") == ["a8", "a9", "b8", "b9"]
    for wrong in ("{9..8}", "{x}", "{0..99999999}"):
        with pytest.raises(UserError):
            spelled_out(wrong)


def test_a_name_with_braces_means_the_same_from_another_folder(given, monkeypatch):
    folder, _ = given
    monkeypatch.chdir(folder.parent)
    assert lasting_name("shards/{000..002}.tar") == f"{folder}/{{000..002}}.tar"
