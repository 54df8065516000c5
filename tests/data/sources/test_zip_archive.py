import json
import stat
import struct
import zipfile

import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.survey import survey


def test_a_damaged_member_of_a_zip_is_named(folder, tmp_path, members_of, zip_of):
    path = zip_of(members_of(folder), tmp_path / "x.zip")
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[3]
    data = bytearray(path.read_bytes())
    data[info.header_offset + 100] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"ant/03.png is damaged in the archive"):
        prepare(str(path), quiet=True)
    assert prepare(str(path), broken="skip", quiet=True).manifest["broken"][0][0] == "ant/03.png"


def marked(path, *, flags=0, method=None):
    """Sets flags, or the method of compression, of every member in both of its headers."""
    data = bytearray(path.read_bytes())
    for signature, flags_at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(signature)
        while at >= 0:
            struct.pack_into("<H", data, at + flags_at, flags)
            if method is not None:
                struct.pack_into("<H", data, at + flags_at + 2, method)
            at = data.find(signature, at + 4)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"flags": 1}, "is encrypted"), ({"method": 9}, "deflate64"), ({"method": 93}, "Zstandard")],
)
def test_members_that_cannot_be_unpacked_are_named_with_and_without_a_dataset_json(
    tmp_path, encode, pixels, zip_of, settings, says
):
    pictures = [("a.png", encode(pixels[0]))]
    for members in (pictures, [*pictures, ("dataset.json", json.dumps({"labels": None}).encode())]):
        path = zip_of(members, tmp_path / "x.zip")
        marked(path, **settings)
        with pytest.raises(UserError, match=says):
            prepare(str(path), quiet=True)


def test_an_encrypted_npz_is_named(tmp_path, pixels):
    import numpy as np

    np.savez(tmp_path / "x.npz", images=pixels)
    marked(tmp_path / "x.npz", flags=1)
    with pytest.raises(UserError, match="is encrypted"):
        open_source(str(tmp_path / "x.npz"))


def test_a_symbolic_link_in_a_zip_is_named_and_not_taken_for_a_picture(tmp_path, encode, pixels):
    link = zipfile.ZipInfo("b.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", encode(pixels[0]))
        archive.writestr(link, "a.png")
    assert survey(str(tmp_path / "x.zip")).broken == (
        ("b.png", "is a symbolic link in the archive, which is not followed"),
    )


def test_joined_zips_are_refused_as_only_the_last_would_be_read(tmp_path, encode, pixels, zip_of):
    one = zip_of([("a.png", encode(pixels[0]))], tmp_path / "1.zip").read_bytes()
    two = zip_of([("b.png", encode(pixels[1]))], tmp_path / "2.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(one + two)
    with pytest.raises(UserError, match="several zip archives joined"):
        open_source(str(tmp_path / "x.zip"))
    (tmp_path / "x.zip").write_bytes(b"#!a program that unpacks itself" + two)
    assert survey(str(tmp_path / "x.zip")).count == 1


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_byte_that_changed_in_a_zip_is_a_broken_picture_and_no_crash(tmp_path, encode, pixels, compression):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.png", encode(pixels[0]))
        start, size = archive.getinfo("a.png").header_offset + 35, archive.getinfo("a.png").compress_size
    whole = path.read_bytes()
    for place in range(start, start + size, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        for full in (False, True):
            assert [name for name, _ in survey(str(path), full=full).broken] == ["a.png"]
