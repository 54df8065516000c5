"""PNGs written by hand, chunk by chunk."""

import io
import struct
import zlib

import pytest

from ganvas.data.encoded import png_chunks
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pictures import decode, read_header

GREY, RGB = 0, 2
TURNED = b"II*\0\x08\0\0\0" + struct.pack("<HHHLL", 1, 0x0112, 3, 1, 6) + bytes(4)  # EXIF: orientation 6.


def chunk(kind: bytes, data: bytes, *, crc: int | None = None) -> bytes:
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png(rows, *, bits=8, colour=GREY, width=3, before=b"", behind=b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows)))
    return png_chunks.SIGNATURE + head + before + pixels + behind + chunk(b"IEND", b"")


ROWS = [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("place", ["before", "behind"])
def test_exif_turns_the_picture_whether_it_comes_before_the_pixels_or_behind(place):
    data = png(ROWS, **{place: chunk(b"eXIf", TURNED)})
    assert decode(data)[..., 0].tolist() == [[4, 1], [5, 2], [6, 3]]
    for read in (data, io.BytesIO(data)):
        assert (read_header(read).height, read_header(io.BytesIO(data)).width) == (3, 2)


@pytest.mark.parametrize(
    "damaged", [chunk(b"eXIf", b"rubbish!"), chunk(b"eXIf", TURNED, crc=0), chunk(b"tEXt", b"Title\0x", crc=0)]
)
def test_metadata_that_is_damaged_does_not_make_the_pixels_so(damaged):
    for place in ("before", "behind"):
        data = png(ROWS, **{place: damaged})
        assert decode(data)[..., 0].tolist() == ROWS
        assert read_header(data).height == 2


def test_texts_and_profiles_of_any_size_are_passed_over():
    text = zlib.compress(b"a" * (3 << 20))
    before = chunk(b"zTXt", b"workflow\0\0" + text) + chunk(b"iCCP", b"wide\0\0" + text)
    before += chunk(b"tEXt", b"prompt\0" + b"b" * (2 << 20))
    assert decode(png(ROWS, before=before))[..., 0].tolist() == ROWS
    assert read_header(png(ROWS, before=before)).width == 3


def test_a_damaged_chunk_that_pixels_depend_on_is_refused():
    with pytest.raises(BrokenPicture, match="begins as PNG and is damaged"):
        decode(png(ROWS, before=chunk(b"tRNS", b"\0\1", crc=0)))


def test_a_header_is_read_without_the_pixels():
    class Counted(io.BytesIO):
        count = 0

        def read(self, size=-1, /):
            data = super().read(size)
            Counted.count += len(data)
            return data

    noise = [[(31 * row * column) % 251 for column in range(300)] for row in range(300)]
    data = png(noise, width=300, behind=chunk(b"eXIf", TURNED))
    assert (read_header(Counted(data)).height, len(data) > 20_000) == (300, True)
    assert Counted.count < 1000


@pytest.mark.parametrize(
    ("bits", "row", "key", "expected"),
    [
        (2, [0b00011011], 2, [[0, 255], [85, 255], [170, 0], [255, 255]]),
        (4, [0x01, 0x8F], 8, [[0, 255], [17, 255], [136, 0], [255, 255]]),
        (8, [0, 1, 2, 3], 2, [[0, 255], [1, 255], [2, 0], [3, 255]]),
        (16, [0, 0, 1, 44, 255, 255, 1, 45], 300, [[0, 255], [1, 0], [255, 255], [1, 255]]),
    ],
)
def test_a_transparent_grey_is_named_in_the_files_own_bits(bits, row, key, expected):
    # 300 = 0x012C and 301 = 0x012D are both 1 in 8 bits (300 / 257 = 1.17); only the first is transparent.
    data = png([row], bits=bits, width=4, before=chunk(b"tRNS", struct.pack(">H", key)))
    assert decode(data)[0].tolist() == expected


def test_a_transparent_colour_of_16_bits_is_refused_as_pixels_have_lost_half_of_it():
    data = png([[1, 1, 2, 2, 3, 3]], bits=16, colour=RGB, width=1, before=chunk(b"tRNS", bytes([1, 1, 2, 2, 3, 3])))
    for read in (decode, read_header):
        with pytest.raises(BrokenPicture, match="transparent colour of 16 bits"):
            read(data)
