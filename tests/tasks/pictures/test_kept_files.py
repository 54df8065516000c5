"""A changed picture is written as its file was: format, size, orientation, profile, transparency, compression."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, JpegImagePlugin
from PIL.PngImagePlugin import PngImageFile, PngInfo

from ganvas.core.errors import UserError
from ganvas.data.pictures import decode
from ganvas.tasks.pictures.kept_files import exact_suffix, open_kept, read_kept

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(pixels, form, **how):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=form, **how)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_changed_upright_and_written_turned_again(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "camera"
    data = saved(PIXELS, "PNG", exif=exif)
    picture = read_kept(data)
    changed = 255 - picture.pixels
    written = picture.encoded(changed)
    assert np.array_equal(decode(written), changed), "upright again for everyone who reads the orientation"
    with Image.open(io.BytesIO(written)) as image:
        assert image.getexif()[0x0112] == orientation
        assert image.getexif()[0x010F] == "camera"
        assert np.array_equal(np.asarray(image), 255 - PIXELS), "the file's own pixels, in the file's own order"


def test_profile_and_transparency_stay():
    pixels = np.dstack([PIXELS, np.arange(54, dtype=np.uint8).reshape(6, 9)])
    picture = read_kept(saved(pixels, "PNG", icc_profile=PROFILE))
    written = picture.encoded(255 - picture.channels(3))
    with Image.open(io.BytesIO(written)) as image:
        assert image.info["icc_profile"] == PROFILE
        assert np.array_equal(np.asarray(image)[..., 3], pixels[..., 3])


@pytest.mark.parametrize(
    ("form", "ending"), [("PNG", None), ("JPEG", None), ("WEBP", None), ("BMP", None), ("GIF", ".png")]
)
def test_the_format_stays_where_it_can_be_written(form, ending):
    picture = read_kept(saved(PIXELS, form))
    assert picture.ending == ending
    with Image.open(io.BytesIO(picture.encoded(picture.channels(3)))) as image:
        assert image.format == ("PNG" if ending else form)
        assert image.size == (9, 6)


def test_a_jpeg_keeps_its_own_compression_and_grey_stays_grey():
    data = saved(PIXELS, "JPEG", quality=37, subsampling=2)
    written = read_kept(data).encoded(PIXELS)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(written)) as after:
        assert isinstance(before, JpegImagePlugin.JpegImageFile)
        assert isinstance(after, JpegImagePlugin.JpegImageFile)
        assert after.quantization == before.quantization
        assert JpegImagePlugin.get_sampling(after) == JpegImagePlugin.get_sampling(before) == 2
    grey = read_kept(saved(PIXELS[..., 0], "JPEG"))
    with Image.open(io.BytesIO(grey.encoded(grey.channels(1)))) as image:
        assert image.mode == "L"


@pytest.mark.parametrize(
    ("form", "suffix", "kept"),
    [("PNG", ".png", ".png"), ("TIFF", ".tif", ".tif"), ("JPEG", ".jpg", ".png"), ("TGA", ".tga", ".png")],
)
def test_where_only_some_pixels_are_exchanged_all_others_keep_their_numbers(tmp_path, form, suffix, kept):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(saved(PIXELS, form))
    where = np.zeros((6, 9), bool)
    where[2:4, 3:5] = True
    picture = open_kept(path, exact=True)
    written = picture.exchanged(255 - picture.pixels, where)
    assert exact_suffix(path) == kept
    with Image.open(io.BytesIO(written)) as image:
        assert image.format == {".png": "PNG", ".tif": "TIFF"}[kept]
    assert np.array_equal(decode(written), np.where(where[..., None], 255 - picture.pixels, picture.pixels))


def test_texts_stay_and_more_than_8_bits_are_refused_where_numbers_must_be_kept(tmp_path):
    texts = PngInfo()
    texts.add_text("Title", "a gate")
    texts.add_itxt("Ort", "Zürich")
    with Image.open(io.BytesIO(read_kept(saved(PIXELS, "PNG", pnginfo=texts)).encoded(PIXELS))) as image:
        assert isinstance(image, PngImageFile)
        assert dict(image.text) == {"Title": "a gate", "Ort": "Zürich"}
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "deep.png")
    assert open_kept(tmp_path / "deep.png").size == (4, 4)
    with pytest.raises(UserError, match="8 bits"):
        open_kept(tmp_path / "deep.png", exact=True)
