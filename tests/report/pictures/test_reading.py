"""Pictures that are cut, damaged, or a trap are refused in one way."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ganvas.report.pictures.reading import is_whole, opened


def png(width=8, height=6):
    memory = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(memory, format="PNG")
    return memory.getvalue()


def bomb(side):
    """A PNG that says it is ``side`` pixels wide and high, in a hundred bytes."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_whole_picture_is_read_to_its_last_pixel():
    assert opened(png()).size == (8, 6)


@pytest.mark.parametrize(("side", "reason"), [(9_000, "too large"), (60_000, "bomb"), (2**31 - 1, "bomb|too large")])
def test_a_picture_that_unfolds_beyond_memory_is_refused_before_it_does(side, reason):
    with pytest.raises(
        OSError, match=reason
    ):  # 81 million pixels are Ganvas's to refuse, 3.6 thousand million Pillow's.
        opened(bomb(side))


def test_no_flipped_byte_and_no_cut_is_anything_but_a_picture_or_a_refusal():
    data = png()
    broken = [data[:length] for length in range(0, len(data), 3)]
    for place in range(len(data)):
        broken += [data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :] for flip in (1, 128, 255)]
    refused = 0
    for one in broken:
        try:
            opened(one)
        except OSError:
            refused += 1
    assert refused > len(broken) / 2


def test_only_a_file_with_a_whole_picture_is_whole(tmp_path):
    contents = {"a": png(), "b": png()[:60], "c": b"", "d": bomb(60_000), "e": png(3, 3)}
    for name, data in contents.items():
        (tmp_path / f"{name}.png").write_bytes(data)
    paths = [tmp_path / f"{name}.png" for name in "abcdef"]  # There is no f.
    assert [path.stem for path in paths if is_whole(path)] == ["a", "e"]
