"""TIFFs written by hand, byte by byte, from the tables of TIFF 6.0: what they mean does not come from a library."""

import struct
import zlib

import numpy as np
import pytest

from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pictures import decode, read_header

UNCOMPRESSED, DEFLATE = 1, 8


def tiff(strips, height, width, *, bits=(8,), photometric=1, order="<", compression=UNCOMPRESSED, tags=None) -> bytes:
    """A TIFF of one page: the strips one after another, then the directory, then what does not fit into it."""
    strips = [zlib.compress(strip) if compression == DEFLATE else strip for strip in strips]
    offsets = [8 + sum(map(len, strips[:index])) for index in range(len(strips))]
    entries = {256: [width], 257: [height], 258: list(bits), 259: [compression], 262: [photometric], 277: [len(bits)]}
    entries |= {273: offsets, 278: [height], 279: [len(strip) for strip in strips]} | (tags or {})
    body = b"".join(strips)
    body += bytes(len(body) % 2)
    behind, directory = b"", struct.pack(order + "H", len(entries))
    behind_at = 8 + len(body) + 2 + 12 * len(entries) + 4
    for tag in sorted(entries):
        long = tag in (273, 279)
        values = struct.pack(order + ("L" if long else "H") * len(entries[tag]), *entries[tag])
        field = values.ljust(4, b"\0") if len(values) <= 4 else struct.pack(order + "L", behind_at + len(behind))
        behind += values if len(values) > 4 else b""
        directory += struct.pack(order + "HHL", tag, 4 if long else 3, len(entries[tag])) + field
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8 + len(body))
    return head + body + directory + bytes(4) + behind


def values(data: bytes) -> list:
    return decode(data)[0].tolist()


@pytest.mark.parametrize("compression", [UNCOMPRESSED, DEFLATE])
def test_16_bit_grey_whose_zero_is_white_is_turned_into_light(compression):
    stored = np.array([0, 257, 32767, 65535], "<u2").tobytes()
    # 0 is white, 65535 black; (65535 - 257) / 257 = 254 and (65535 - 32767) / 257 = 127.5: the nearest is 128.
    assert values(tiff([stored], 1, 4, bits=(16,), photometric=0, compression=compression)) == [
        [255],
        [254],
        [128],
        [0],
    ]
    assert values(tiff([stored], 1, 4, bits=(16,), photometric=1, compression=compression)) == [[0], [1], [127], [255]]


def test_8_bit_grey_whose_zero_is_white_is_turned_into_light():
    assert values(tiff([bytes([0, 1, 255])], 1, 3, photometric=0)) == [[255], [254], [0]]


def test_12_bit_grey_reaches_white():
    # 0x000, 0xFFF, 0x800, 0x010 in six bytes; 255 * 0x800 / 0xFFF = 127.53 and 255 * 16 / 4095 = 0.996.
    stored = bytes([0x00, 0x0F, 0xFF, 0x80, 0x00, 0x10])
    assert values(tiff([stored], 1, 4, bits=(12,))) == [[0], [255], [128], [1]]


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_colour_keeps_its_high_byte_in_either_order_of_bytes(order):
    stored = np.array([0x1122, 0x3344, 0x5566, 0xFFFF, 0, 0x00FF], order + "u2").tobytes()
    found = values(tiff([stored], 1, 2, bits=(16,) * 3, photometric=2, order=order))
    assert found == [[0x11, 0x33, 0x55], [255, 0, 0]]


@pytest.mark.parametrize("compression", [UNCOMPRESSED, DEFLATE])
def test_planes_apart_are_put_together_in_8_bits_and_refused_in_16(compression):
    red, green, blue = bytes([1, 4]), bytes([2, 5]), bytes([3, 6])
    apart = {284: [2]}
    options = {"photometric": 2, "compression": compression, "tags": apart}
    assert values(tiff([red, green, blue], 1, 2, bits=(8,) * 3, **options)) == [[1, 2, 3], [4, 5, 6]]
    for read in (decode, read_header):
        with pytest.raises(BrokenPicture, match="16-bit planes that are stored apart"):
            read(tiff([bytes(4)] * 3, 1, 2, bits=(16,) * 3, **options))


def test_grey_and_alpha_in_planes_apart_are_refused_as_the_alpha_would_be_lost():
    stored = tiff([b"\1\2", b"\xff\xff"], 1, 2, bits=(8, 8), compression=DEFLATE, tags={284: [2], 338: [2]})
    with pytest.raises(BrokenPicture, match="stored apart"):
        decode(stored)
    together = tiff([b"\1\xff\2\x07"], 1, 2, bits=(8, 8), tags={338: [2]})
    assert values(together) == [[1, 255], [2, 7]]


@pytest.mark.parametrize(
    ("bits", "sample_format", "says"),
    [(8, 2, "signed"), (16, 2, "signed"), (32, 2, "signed"), (32, 1, "32-bit"), (32, 3, "floating-point")],
)
def test_numbers_of_unknown_range_are_refused_whatever_their_values(bits, sample_format, says):
    for value in (0, 200, 2 ** (bits - 1) - 1):  # Small ones look like bytes.
        stored = value.to_bytes(bits // 8, "little") * 2
        for read in (decode, read_header):
            with pytest.raises(BrokenPicture, match=says):
                read(tiff([stored], 1, 2, bits=(bits,), tags={339: [sample_format]}))


def test_a_palette_has_16_bit_colours_and_one_of_8_bits_is_refused():
    red, green, blue = [256 * v for v in range(256)], [0] * 256, [65535] * 256
    assert values(tiff([bytes([7, 255])], 1, 2, photometric=3, tags={320: red + green + blue})) == [
        [7, 0, 255],
        [255, 0, 255],
    ]
    with pytest.raises(BrokenPicture, match="palette of 8-bit"):
        decode(tiff([bytes([7, 255])], 1, 2, photometric=3, tags={320: [*range(256)] * 3}))


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, [[1, 2, 3], [4, 5, 6]]),
        (2, [[3, 2, 1], [6, 5, 4]]),
        (3, [[6, 5, 4], [3, 2, 1]]),
        (4, [[4, 5, 6], [1, 2, 3]]),
        (5, [[1, 4], [2, 5], [3, 6]]),
        (6, [[4, 1], [5, 2], [6, 3]]),
        (7, [[6, 3], [5, 2], [4, 1]]),
        (8, [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_a_turned_tiff_has_the_size_in_its_header_that_its_pixels_have(orientation, upright):
    data = tiff([bytes([1, 2, 3, 4, 5, 6])], 2, 3, tags={274: [orientation]})
    header = read_header(data)
    assert decode(data)[..., 0].tolist() == upright
    assert (header.height, header.width) == (len(upright), len(upright[0]))


def test_a_kind_of_tiff_that_is_not_read_is_named_as_one():
    with pytest.raises(BrokenPicture, match="begins as TIFF"):
        decode(tiff([bytes(8)], 1, 2, bits=(16, 16), tags={338: [2]}))
