"""One encoded picture as bytes of pixels, read right or refused with a reason.

What is decided here: orientation recorded by a camera (EXIF) is applied; colour profiles (ICC) are not; 16-bit grey is
scaled to 8 bits (``v / 257`` to the nearest), 16-bit colour as Pillow does it (its high byte, at most one level lower);
palettes, CMYK and YCbCr become RGB; transparency of any kind becomes alpha. A file of several frames is refused, as
nobody can know which one is meant; the second view that some phones append to a JPEG (MPO) is no frame.
"""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

_FORMATS = "png jpg jpeg jpe jfif webp avif bmp gif tif tiff ppm pgm pbm pnm jp2 tga qoi"
EXTENSIONS = frozenset(f".{ending}" for ending in _FORMATS.split(" "))
LARGEST_BYTES = 1 << 30  # Of one encoded picture: a member that claims more is damage or malice.
_ORIENTATION = 0x0112


class BrokenPicture(ValueError):
    """A file that is not one whole picture. The message is the reason, without the file's name."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says of itself, without its pixels."""

    height: int
    width: int
    mode: str  # Pillow's: L, RGB, RGBA, P, CMYK, I;16, ...; "+alpha" when transparency is kept beside the pixels.


def read_header(data: bytes) -> Header:
    """Size and mode after the camera's rotation. Finds what is not a picture; a cut picture may pass."""
    with _open(data) as image:
        try:
            turned = _orientation(image) >= 5
            mode = image.mode + ("+alpha" if "transparency" in image.info else "")
        except Exception as error:
            raise _reason(error) from None
        width, height = image.size
    return Header(height=width if turned else height, width=height if turned else width, mode=mode)


def decode(data: bytes) -> UInt8[np.ndarray, "h w c"]:
    """The pixels: 1 channel (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA), as the file has them."""
    from PIL import Image, ImageOps

    with _open(data) as image:
        try:
            image.load()
            pixels: Image.Image = ImageOps.exif_transpose(image) if _orientation(image) > 1 else image
            array = _to_bytes(pixels)
        except BrokenPicture:
            raise
        except Exception as error:
            raise _reason(error) from None
    return array if array.ndim == 3 else array[..., None]


def _to_bytes(image) -> np.ndarray:  # noqa: ANN001 (Pillow is not imported at module level)
    mode = image.mode
    if "transparency" in image.info or mode in ("PA", "RGBa", "La"):
        image = image.convert("LA" if mode in ("L", "1", "La") else "RGBA")
    elif mode.startswith("I;16") or mode == "I":
        return _from_16_bits(np.asarray(image))
    elif mode == "F":
        raise BrokenPicture("has floating-point pixels of unknown range; save it as 8 or 16 bits")
    elif mode == "1":
        image = image.convert("L")
    elif mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    return np.asarray(image)


def _from_16_bits(values: np.ndarray) -> np.ndarray:
    """``v * 255 / 65535`` to the nearest byte."""
    if values.min() < 0 or values.max() > 0xFFFF:
        raise BrokenPicture("has 32-bit pixels of unknown range; save it as 8 or 16 bits")
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _open(data: bytes):  # noqa: ANN202
    from PIL import Image

    if not data:
        raise BrokenPicture("is empty (0 bytes)")
    try:
        image = Image.open(io.BytesIO(data))
        frames = 1
        if image.format != "MPO" and getattr(image, "is_animated", False):
            frames = getattr(image, "n_frames", 2)
    except Exception as error:
        raise _reason(error) from None
    if frames > 1:
        raise BrokenPicture(f"is an animation or a file of several pictures ({frames} frames)")
    return image


def _orientation(image) -> int:  # noqa: ANN001
    if image.format not in ("JPEG", "MPO", "TIFF") and "exif" not in image.info:
        return 1
    if image.format in ("JPEG", "MPO") and "exif" not in image.info:
        return 1
    orientation = image.getexif().get(_ORIENTATION, 1)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _reason(error: Exception) -> BrokenPicture:
    """Pillow's many ways of saying no, in a person's words."""
    from PIL import Image, UnidentifiedImageError

    text = str(error)
    if isinstance(error, UnidentifiedImageError):
        return BrokenPicture("is not a picture")
    if isinstance(error, Image.DecompressionBombError):
        return BrokenPicture("has too many pixels to be a picture (over 178 million)")
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return BrokenPicture("is cut short")
    return BrokenPicture(f"cannot be decoded ({text.rstrip('.') or type(error).__name__})")
