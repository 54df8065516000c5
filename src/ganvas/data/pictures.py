"""One encoded picture as bytes of pixels, read right or refused with a reason.

Orientation recorded by a camera (EXIF) is applied; colour profiles (ICC) are not; grey of 12 or 16 bits is scaled to 8
bits to the nearest, 16-bit colour as Pillow does it (its high byte, at most one level lower); palettes, CMYK, YCbCr and
Lab become RGB; transparency of any kind becomes alpha. A file of several frames is refused, as nobody can know which
one is meant; the second view that some phones append to a JPEG (MPO) is no frame. What numbers mean is taken from the
file's own tags, never guessed from the values.
"""

import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import numpy as np
from jaxtyping import UInt8

from ganvas.data.encoded import png_chunks
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.encoded.file_kinds import START_BYTES, known_otherwise, pillow_format
from ganvas.data.encoded.pnm_frames import another_follows
from ganvas.data.encoded.tiff_tags import Samples, checked_samples, turned_size

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.PngImagePlugin import PngImageFile

_ENDINGS = "png jpg jpeg jpe jfif webp avif bmp gif tif tiff ppm pgm pbm pnm jp2 tga qoi"
ENDINGS = frozenset(_ENDINGS.split(" "))
LARGEST_BYTES = 1 << 28  # Of one encoded picture: a member that claims more is damage or malice.
DECODING = 2  # Counted up when files become other pixels than before, so that older packs are not taken for these.
_ORIENTATION = 0x0112


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says of itself, without its pixels."""

    height: int
    width: int
    mode: str  # Pillow's: L, RGB, RGBA, P, CMYK, I;16, ...; "+alpha" when transparency is kept beside the pixels.


def read_header(file: bytes | io.BufferedIOBase) -> Header:
    """Size and mode after the camera's rotation. Finds what is not a picture; a cut picture may pass.

    Args:
        file: The encoded picture, or an open file that can be searched: only what is needed is read from it.

    Raises:
        BrokenPicture: it is not one picture that can be read right.
    """
    with _opened(io.BytesIO(file) if isinstance(file, bytes) else file, head=True) as image:
        try:
            _checked(image)
            height, width = _turned_size(image)
            mode = image.mode + ("+alpha" if "transparency" in image.info else "")
        except Exception as error:
            raise _reason(error) from None
    return Header(height=height, width=width, mode=mode)


def decode(data: bytes) -> UInt8[np.ndarray, "h w c"]:
    """The pixels: 1 channel (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA), as the file has them.

    Raises:
        BrokenPicture: it is not one whole picture that can be read right.
    """
    from PIL import ImageOps

    with _opened(io.BytesIO(data), head=False) as image:
        try:
            samples = _checked(image)
            image.load()
            pixels = ImageOps.exif_transpose(image) if _orientation(image) > 1 else image
            array = _to_bytes(pixels, samples)
        except Exception as error:
            raise _reason(error) from None
    return array if array.ndim == 3 else array[..., None]


def decode_numbers(data: bytes) -> UInt8[np.ndarray, "h w"]:
    """The number of every pixel, of a picture whose pixels are numbers of classes and no colours.

    A palette's positions, or levels of grey as the file has them, without being scaled to 8 bits. Colour is read where
    its channels are equal.

    Raises:
        BrokenPicture: it is not one whole picture, or its pixels are not whole numbers of 0 to 255.
    """
    from PIL import ImageOps
    from PIL.PngImagePlugin import PngImageFile

    with _opened(io.BytesIO(data), head=False) as image:
        try:
            if image.format in ("JPEG", "MPO"):
                raise BrokenPicture("is a JPEG, which changes numbers; save labels as PNG")
            _checked(image)
            stored = str(image.tile[0][3]) if isinstance(image, PngImageFile) and image.tile else ""
            image.load()
            pixels = ImageOps.exif_transpose(image) if _orientation(image) > 1 else image
            numbers = _numbers(pixels)
        except Exception as error:
            raise _reason(error) from None
    return numbers // _STRETCHED.get(stored, 1)


_STRETCHED = {"L;2": 85, "L;4": 17}  # Levels of grey of few bits, which Pillow stretches to 8.


def _numbers(image: "Image") -> UInt8[np.ndarray, "h w"]:
    values = np.asarray(image)
    if values.ndim == 3:
        colours = values[..., : 1 if image.mode in ("LA", "PA", "La") else 3]
        if (colours != colours[..., :1]).any():
            raise BrokenPicture(
                "is in colour, and labels are one number per pixel; save it as grey or with a palette (PNG)"
            )
        values = colours[..., 0]
    if image.mode not in ("1", "L", "P", "LA", "PA", "La", "RGB", "RGBA", "I", "I;16", "I;16B"):
        raise BrokenPicture(f"is of mode {image.mode}, and labels are one number per pixel; save it as grey PNG")
    if values.min() < 0 or values.max() > 255:
        raise BrokenPicture(f"has the label {int(values.max())}; numbers of 0 to 255 can be read")
    return values.astype(np.uint8)


def _opened(file: io.BufferedIOBase, *, head: bool) -> "Image":
    from PIL import Image

    kind = None
    try:
        start = file.read(START_BYTES)
        kind = _pillow_format(start)
        if kind == "PPM" and another_follows(start, file):
            raise BrokenPicture("is a file of several pictures (2 frames or more)")
        file.seek(0)
        if kind == "PNG":
            file = io.BytesIO(png_chunks.essential_head(file) if head else png_chunks.essential(file.read()))
        image = Image.open(cast(IO[bytes], file), formats=(kind or "TGA",))
        frames = 1
        if image.format != "MPO" and getattr(image, "is_animated", False):
            frames = getattr(image, "n_frames", 2)
    except Exception as error:
        raise _reason(error, kind) from None
    if frames > 1:
        raise BrokenPicture(f"is an animation or a file of several pictures ({frames} frames)")
    return image


def _pillow_format(start: bytes) -> str | None:
    kind = pillow_format(start)
    if not start:
        raise BrokenPicture("is empty (0 bytes)")
    if kind is None and (reason := known_otherwise(start)):
        raise BrokenPicture(reason)
    return kind


def _checked(image: "Image") -> Samples:
    """How numbers of more than 8 bits are meant; refuses what Pillow would give wrong."""
    from PIL.PngImagePlugin import PngImageFile
    from PIL.TiffImagePlugin import TiffImageFile

    if isinstance(image, TiffImageFile):
        return checked_samples(image)
    if image.mode == "F":
        raise BrokenPicture("has floating-point pixels of unknown range; save it as 8 or 16 bits")
    if isinstance(image, PngImageFile) and "transparency" in image.info:
        _scale_transparent_grey(image)
    return Samples()


def _scale_transparent_grey(image: "PngImageFile") -> None:
    """PNG names the transparent colour in the file's own bits, and Pillow compares it with pixels of 8 bits."""
    stored = str(image.tile[0][3]) if image.tile else ""
    key = image.info["transparency"]
    if image.mode == "RGB" and "16" in stored:
        raise BrokenPicture("names a transparent colour of 16 bits; save it with an alpha channel")
    if isinstance(key, int) and stored in ("L;2", "L;4"):
        image.info["transparency"] = key * (85 if stored == "L;2" else 17)


def _to_bytes(image: "Image", samples: Samples) -> np.ndarray:
    mode = image.mode
    if mode.startswith("I;16") or mode == "I":
        return _from_more_bits(np.asarray(image), samples, image.info.get("transparency"))
    if "transparency" in image.info or mode in ("PA", "RGBa", "La"):
        image = image.convert("LA" if mode in ("L", "1", "La") else "RGBA")
    elif mode == "1":
        image = image.convert("L")
    elif mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    return np.asarray(image)


def _from_more_bits(values: np.ndarray, samples: Samples, transparent: int | None) -> np.ndarray:
    """``v * 255 / largest`` to the nearest byte, from the other end where 0 is white."""
    if values.min() < 0 or values.max() > samples.largest:
        raise BrokenPicture("has pixels outside the range of its bits; save it as 8 or 16 bits")
    given = values.astype(np.uint32)
    light = samples.largest - given if samples.inverted else given
    grey = ((light * 255 + samples.largest // 2) // samples.largest).astype(np.uint8)
    if transparent is None:
        return grey
    return np.stack([grey, np.where(given == transparent, 0, 255).astype(np.uint8)], axis=-1)


def _turned_size(image: "Image") -> tuple[int, int]:
    """Height and width once the camera's rotation is undone."""
    from PIL.TiffImagePlugin import TiffImageFile

    if isinstance(image, TiffImageFile):
        return turned_size(image)
    width, height = image.size
    return (width, height) if _orientation(image) >= 5 else (height, width)


def _orientation(image: "Image") -> int:
    """The rotation that is still to be undone, 1 to 8. EXIF that cannot be read says nothing; Pillow turns TIFFs."""
    if image.format == "TIFF" or "exif" not in image.info:
        return 1
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _reason(error: Exception, kind: str | None = None) -> BrokenPicture:
    """Pillow's many ways of saying no, in a person's words."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, BrokenPicture):
        return error
    text = str(error)
    if isinstance(error, UnidentifiedImageError):
        if kind is None:
            return BrokenPicture("is not a picture")
        return BrokenPicture(f"begins as {kind} and is damaged, or of a rare kind that is not read; save it as PNG")
    if isinstance(error, Image.DecompressionBombError):
        return BrokenPicture("has too many pixels to be a picture (over 178 million)")
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return BrokenPicture("is cut short")
    return BrokenPicture(f"cannot be decoded ({text.rstrip('.') or type(error).__name__})")
