import gzip
import io
import os
import tarfile

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.survey import survey


def test_hard_links_are_read_as_the_files_that_they_name(tmp_path, encode, pixels, tar_of):
    members = [("cat/0.png", encode(pixels[0])), ("cat/1.png = cat/0.png", b""), ("dog/0.png = cat/1.png", b"")]
    for mode, ending in (("w", "tar"), ("w:gz", "tar.gz")):
        found = prepare(str(tar_of(members, tmp_path / f"x.{ending}", mode)), quiet=True)
        assert found.names == ["cat/0.png", "cat/1.png", "dog/0.png"]
        assert (found.images == pixels[0]).all()
        assert found.labels.tolist() == [0, 0, 1]


def test_a_hard_link_of_the_systems_own_tar_is_read(folder, tmp_path, pixels):
    os.link(folder / "ant" / "00.png", folder / "bee" / "zz.png")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(folder, "set")
    found = prepare(str(tmp_path / "x.tar"), quiet=True)
    assert len(found) == 13
    assert sorted(found.names)[-5] == "set/bee/zz.png"
    assert (found.images[found.names.index("set/bee/zz.png")] == pixels[0]).all()


def test_symbolic_links_are_followed_inside_the_archive_alone(tmp_path, encode, pixels, tar_of):
    members = [("objects/a1b2", encode(pixels[0])), ("a/0.png -> ../objects/a1b2", b""), ("a/1.png", encode(pixels[1]))]
    members += [
        ("a/out.png -> ../../etc/passwd", b""),
        ("a/root.png -> /etc/passwd", b""),
        ("a/round.png -> round.png", b""),
    ]
    path = tar_of(members, tmp_path / "x.tar")
    found = prepare(str(path), broken="skip", quiet=True)
    assert found.names == ["a/1.png", "a/0.png"]  # Links come after the files.
    assert (found.images == pixels[[1, 0]]).all()
    assert dict(found.manifest["broken"]) == {
        "a/out.png": "is a link out of the archive, a pipe or a device",
        "a/root.png": "is a link out of the archive, a pipe or a device",
        "a/round.png": "is a link to a/round.png, which leads to no file of the archive",
    }


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
    found = prepare(str(path), broken="skip", quiet=True)
    assert found.names == ["../../escaped.png", "absolute.png"]
    assert [name for name, _ in found.manifest["broken"]] == ["link.png", "device.png", "hard.png"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in"]


def test_a_tar_cut_between_two_members_is_noticed(folder, tmp_path, members_of, tar_of):
    path = tar_of(members_of(folder), tmp_path / "x.tar")
    with tarfile.open(path) as archive:
        end = archive.getmembers()[5].offset
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(UserError, match="has no end"):
        prepare(str(path), quiet=True)


def test_a_damaged_header_in_the_middle_is_no_end(folder, tmp_path, members_of, tar_of):
    path = tar_of(members_of(folder), tmp_path / "x.tar")
    with tarfile.open(path) as archive:
        middle = archive.getmembers()[5].offset
    data = bytearray(path.read_bytes())
    data[middle] ^= 0xFF  # The header's checksum does not hold any more, and tarfile stops without a word.
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged: the archive has no end"):
        prepare(str(path), quiet=True)


@pytest.mark.parametrize("compressed", [False, True])
def test_joined_archives_are_refused_as_only_the_first_would_be_read(folder, tmp_path, members_of, tar_of, compressed):
    members = members_of(folder)
    one = tar_of(members[:6], tmp_path / "1.tar").read_bytes()
    two = tar_of(members[6:], tmp_path / "2.tar").read_bytes()
    path = tmp_path / "joined"
    path.write_bytes(gzip.compress(one) + gzip.compress(two) if compressed else one + two)
    with pytest.raises(UserError, match="goes on after its end: several archives were joined"):
        prepare(str(path), quiet=True)


def test_one_name_twice_is_refused_as_an_appended_archive_means_the_later(tmp_path, encode, pixels, tar_of):
    path = tar_of([("a.png", encode(pixels[0])), ("b.png", encode(pixels[1]))], tmp_path / "x.tar")
    assert len(prepare(str(path), quiet=True)) == 2
    tar_of([("c.png", encode(pixels[2]))], path, "a")
    assert (prepare(str(path), quiet=True).images == pixels[:3]).all()
    tar_of([("a.png", encode(pixels[3]))], path, "a")
    with pytest.raises(UserError, match=r"has a\.png twice"):
        prepare(str(path), quiet=True)


def test_zstandard_is_named(tmp_path):
    path = tmp_path / "x.tar.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(2000))
    with pytest.raises(UserError, match="Zstandard"):
        open_source(str(path))


def test_padding_of_zeros_of_any_length_is_an_end(tmp_path, encode, pixels, tar_of):
    path = tar_of([("a.png", encode(pixels[0]))], tmp_path / "x.tar")
    path.write_bytes(path.read_bytes() + bytes(300_000))
    assert survey(str(path)).count == 1


def test_a_large_member_is_passed_by_and_named(tmp_path, encode, pixels, tar_of, monkeypatch):
    monkeypatch.setattr("ganvas.data.sources.named_pictures.LARGEST_BYTES", 5000)
    monkeypatch.setattr("ganvas.data.sources.tar_archive.LARGEST_BYTES", 5000)
    path = tar_of([("a.png", bytes(6000)), ("b.png", encode(pixels[0]))], tmp_path / "x.tar")
    found = prepare(str(path), broken="skip", quiet=True)
    assert [name for name, _ in found.manifest["broken"]] == ["a.png"]
    assert np.array_equal(found.images[0], pixels[0])
