import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.encoded.file_kinds import known_otherwise, pillow_format
from ganvas.data.pictures import decode, read_header


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "JPEG2000", "QOI"])
def test_every_kind_that_pillow_writes_is_known_by_its_first_bytes(kind):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(buffer, kind)
    assert pillow_format(buffer.getvalue()[:512]) == kind
    assert decode(buffer.getvalue()).shape[:2] == (32, 32)


def test_tga_which_has_no_mark_is_read_where_nothing_else_is_known():
    # Uncompressed grey (type 3), 2 wide, 1 high, 8 bits, rows from the top (bit 5 of the last byte).
    head = bytes([0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 8, 0x20])
    assert decode(head + bytes([7, 200]))[0].tolist() == [[7], [200]]


def brand(*brands: bytes) -> bytes:
    """The first box of an ISO base media file."""
    content = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (len(content) + 4).to_bytes(4, "big") + content + b"\0\0\0\x08meta"


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (brand(b"heic", b"mif1", b"heic"), "HEIC"),
        (brand(b"mif1", b"mif1", b"heic"), "HEIC"),
        (brand(b"crx ", b"crx ", b"isom"), "raw file"),
        (brand(b"isom", b"isom", b"mp41"), "a film"),
        (b"\xff\x0a" + bytes(20), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12", "git lfs pull"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"<?xml version='1.0'?><svg xmlns='x'>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"PK\x03\x04", "zip archive"),
    ],
)
def test_what_is_known_and_not_read_is_named(start, says):
    assert says in (known_otherwise(start) or "")
    for read in (decode, read_header):
        with pytest.raises(BrokenPicture, match=says):
            read(start)


@pytest.mark.parametrize(
    ("kind", "says"), [("PCX", "not a picture"), ("SGI", "not a picture"), ("ICO", "Windows icon")]
)
def test_kinds_that_are_not_promised_are_not_read_though_pillow_could(kind, says):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(buffer, kind)
    for read in (decode, read_header):
        with pytest.raises(BrokenPicture, match=says):
            read(buffer.getvalue())


def test_avif_under_a_general_brand_is_no_heic():
    assert pillow_format(brand(b"mif1", b"mif1", b"avif")) == "AVIF"


@pytest.mark.skipif(os.name != "posix", reason="puts a program into PATH")
def test_a_postscript_program_is_never_run_under_any_name(tmp_path, monkeypatch):
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
    fake = tmp_path / "gs"
    fake.write_text(f"#!{shutil.which('sh')}\necho started >> {tmp_path / 'proof'}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for data in (program, b"\xc5\xd0\xd3\xc6" + bytes(28) + program, b"\n" + program):
        with pytest.raises(BrokenPicture):
            decode(data)
    assert not (tmp_path / "proof").exists()
