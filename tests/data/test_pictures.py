import io

import numpy as np
import pytest
from PIL import Image

from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pictures import decode, read_header


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_give_back_their_pixels(pixels, encode, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    assert (decode(encode(pixels[0], kind, **options)) == pixels[0]).all()


def test_16_bit_grey_is_scaled_not_clipped():
    ramp = np.array([[0, 128, 129, 256, 257, 32767, 65534, 65535]], np.uint16)
    nearest = np.rint(ramp * (255 / 65535)).astype(np.uint8)
    for kind in ("PNG", "TIFF"):
        assert decode(saved(Image.fromarray(ramp), kind))[..., 0].tolist() == nearest.tolist()


def test_16_bit_colour_is_within_one_level_of_the_nearest_byte():
    # Pillow cannot write it: a PNG by hand, 1 x 3 pixels, 16 bits, RGB.
    import struct
    import zlib

    values = np.array([[0, 257, 40000], [65535, 300, 128], [1, 32768, 65407]], ">u2")

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 1, 16, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(b"\0" + values.tobytes())) + chunk(b"IEND", b"")
    assert np.abs(decode(png)[0].astype(int) - np.rint(values * (255 / 65535))).max() <= 1


def test_cmyk_without_ink_is_white_and_full_black_is_black():
    cmyk = np.zeros((8, 16, 4), np.uint8)
    cmyk[:, 8:, 3] = 255
    for kind, options in (("TIFF", {}), ("JPEG", {"quality": 100})):
        out = decode(
            saved(
                Image.fromarray(cmyk, "CMYK") if False else Image.frombytes("CMYK", (16, 8), cmyk.tobytes()),
                kind,
                **options,
            )
        )
        assert out.shape == (8, 16, 3)
        assert (out[:, :7] >= 253).all()
        assert (out[:, 9:] <= 2).all()


def test_a_palette_picture_with_transparency_keeps_colours_and_alpha():
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    out = decode(saved(image, "PNG", transparency=bytes([255, 128, 0])))
    assert out.tolist() == [[[255, 0, 0, 255], [0, 255, 0, 128], [0, 0, 255, 0]]]
    assert decode(saved(image, "PNG")).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]


def test_a_colour_marked_transparent_becomes_alpha(encode):
    grey = np.array([[10, 20]], np.uint8)
    assert decode(encode(grey, transparency=20)).tolist() == [[[10, 255], [20, 0]]]


def test_black_and_white_and_grey_are_one_channel():
    bits = np.array([[True, False]])
    assert decode(saved(Image.fromarray(bits), "PNG")).tolist() == [[[255], [0]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_rotation_is_undone(orientation):
    # The definition of the eight orientations: what was stored, brought back upright by numpy.
    upright = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    assert decode(data)[..., 0].tolist() == upright.tolist()
    header = read_header(data)
    assert (header.height, header.width) == (2, 3)


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_several_frames_are_refused_and_not_silently_the_first(kind):
    for read in (decode, read_header):
        with pytest.raises(BrokenPicture, match="3 frames"):
            read(animation(kind))


def test_what_is_no_picture_is_said_so(pixels, encode):
    jpeg = encode(np.tile(pixels[0], (20, 20, 1)), "JPEG")
    for data, says in ((b"", "empty"), (b"hello, I am text", "not a picture"), (jpeg[: len(jpeg) // 2], "cut short")):
        with pytest.raises(BrokenPicture, match=says):
            decode(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_picture_cut_anywhere_is_either_whole_in_pixels_or_refused(kind, rng, encode):
    whole = encode(rng.integers(0, 256, (40, 40, 3), np.uint8), kind)
    pixels = decode(whole)
    for kept in range(1, len(whole), max(1, len(whole) // 50)):
        try:
            assert (decode(whole[:kept]) == pixels).all()
        except BrokenPicture:
            continue


def test_floating_point_pixels_are_refused_as_their_range_is_unknown():
    with pytest.raises(BrokenPicture, match="floating-point"):
        decode(saved(Image.fromarray(np.zeros((2, 2), np.float32)), "TIFF"))


def test_a_header_tells_size_and_mode_without_decoding(pixels, encode):
    header = read_header(encode(pixels[0])[:60])
    assert (header.height, header.width, header.mode) == (8, 6, "RGB")
