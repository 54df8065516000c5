"""Pictures that keep what their files say: format, size, orientation, colour profile, transparency.

A picture is read upright, changed, and written as it came: turned back as the camera held it, with its EXIF, its
colour profile and its texts, in its format and with the compression that its format tells (a JPEG's own tables). Its
transparency is laid over the change again. Where only some pixels are exchanged, all others keep their numbers: a
format that cannot keep them becomes PNG.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, JpegImagePlugin
from PIL.PngImagePlugin import PngImageFile, PngInfo

from ganvas.core.errors import UserError
from ganvas.data.colour import to_channels
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.encoded.file_kinds import START_BYTES, pillow_format
from ganvas.data.pictures import decode, read_header

TURNS = {  # What undoes each orientation of a camera; EXIF 2.32, tag 0x0112.
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_90,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_270,),
}
WRITTEN = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "PPM", "TGA")  # Others become PNG.
EXACT: dict[str, dict[str, Any]] = {  # Formats that keep every number, with what makes Pillow do so.
    "PNG": {},
    "BMP": {},
    "PPM": {},
    "TIFF": {"compression": "tiff_deflate"},
    "WEBP": {"lossless": True, "exact": True, "quality": 80},
}
STORED = ("L", "LA", "RGB", "RGBA", "P", "1")  # Modes whose numbers are read as they are.
_ORIENTATION = 0x0112

Pixels = UInt8[np.ndarray, "_ _ _"]  # Height, width, channels.


@dataclass(frozen=True, kw_only=True)
class KeptPicture:
    """One picture and what else its file holds."""

    pixels: Pixels  # Upright; 1 (grey), 2 (grey and alpha), 3 or 4 channels, as the file has them.
    format: str  # Pillow's name of the file's format.
    orientation: int = 1  # How the file's pixels are turned, 1 to 8.
    saved: dict[str, Any] = field(default_factory=dict)  # What the file says besides, as Pillow is told it again.
    compression: dict[str, Any] = field(default_factory=dict)  # As Pillow is told it.
    exact: bool = True  # Whether ``pixels`` are the file's own numbers, and not fewer bits of them, or other colours.

    @property
    def ending(self) -> str | None:
        """Another ending that the name must take, since the format cannot be written; None where it stays."""
        return None if self.format in WRITTEN else ".png"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width as a person sees them."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def channels(self, count: int, *, background: tuple[int, int, int] = (255, 255, 255)) -> Pixels:
        """The pixels with 1, 3 or 4 channels, transparent ones on a background."""
        return to_channels(self.pixels[None], count, background)[0]

    def encoded(self, pixels: Pixels) -> bytes:
        """The file with other pixels (h, w, 1, 3 or 4), upright; its own transparency stays where it had one.

        Raises:
            UserError: the pixels are of another size.
        """
        if pixels.shape[:2] != self.pixels.shape[:2]:
            raise UserError(f"Pixels of {pixels.shape[:2]} are no picture of {self.pixels.shape[:2]} (height, width).")
        kind, compression = ("PNG", {}) if self.ending else (self.format, self.compression)
        return self._written(self._with_alpha(pixels), kind, compression)

    def exchanged(self, colours: Pixels, where: Bool[np.ndarray, "h w"]) -> bytes:
        """The file with other colours (h, w, 1 or 3) at some pixels; all other numbers, and alpha, are as they were.

        In the file's own format where :func:`exact_suffix` keeps its ending, else in PNG.
        """
        whole = self.pixels.copy()
        own = 1 if whole.shape[2] < 3 else 3
        whole[where, :own] = to_channels(colours[None], own, (255, 255, 255))[0][where]
        kind = self.format if self.format in EXACT else "PNG"
        return self._written(whole, kind, EXACT[kind])

    def _written(self, pixels: Pixels, kind: str, compression: dict[str, Any]) -> bytes:
        whole = np.ascontiguousarray(pixels)
        image = Image.fromarray(whole[..., 0] if whole.shape[2] == 1 else whole)
        for turn in TURNS.get(self.orientation, ()):
            image = image.transpose(turn)
        buffer = io.BytesIO()
        image.save(buffer, format=kind, **self.saved, **compression)
        return buffer.getvalue()

    def _with_alpha(self, pixels: Pixels) -> Pixels:
        if self.pixels.shape[2] not in (2, 4) or pixels.shape[2] == 4:
            return pixels
        return np.concatenate([pixels, self.pixels[..., -1:]], 2)


def read_kept(data: bytes) -> KeptPicture:
    """A picture with what its file holds besides.

    Raises:
        BrokenPicture: it is not one whole picture that can be read right.
    """
    pixels = decode(data)
    with Image.open(io.BytesIO(data)) as image:
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        saved: dict[str, Any] = {}
        for key in ("icc_profile", "dpi"):
            if image.info.get(key):
                saved[key] = image.info[key]
        exif = image.info.get("exif")
        orientation = 1
        if isinstance(exif, bytes) and kind in ("JPEG", "PNG", "WEBP"):
            saved["exif"] = exif
            orientation = _orientation(image)
        compression, exact = _compression(image, kind), _exact(image)
        saved |= _texts(image)
    return KeptPicture(
        pixels=pixels, format=kind, orientation=orientation, saved=saved, compression=compression, exact=exact
    )


def open_kept(path: Path, *, exact: bool = False) -> KeptPicture:
    """The picture of a file.

    Args:
        exact: Whether its numbers must be kept.

    Raises:
        UserError: it cannot be read, or ``exact`` is asked of more than 8 bits, or of colours that are converted.
    """
    try:
        picture = read_kept(path.read_bytes())
    except BrokenPicture as error:
        raise _broken(path, error) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if exact and not picture.exact:
        raise UserError(
            f"{path} holds more than 8 bits, or colours of another kind than RGB, whose numbers would not be kept as "
            "they are. Save it as 8-bit grey, RGB or RGBA, for instance as PNG."
        )
    return picture


def upright_size(path: Path) -> tuple[int, int]:
    """Height and width of a file's picture as a person sees them, by its header alone.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = read_header(file)
    except BrokenPicture as error:
        raise _broken(path, error) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    return header.height, header.width


def exact_suffix(path: Path) -> str:
    """The ending of a file that keeps every number of this one: its own, or .png where its format would not."""
    try:
        with path.open("rb") as file:
            kind = pillow_format(file.read(START_BYTES))
    except OSError as error:
        raise _unreadable(path, error) from None
    return path.suffix if kind in EXACT else ".png"


def _broken(path: Path, error: BrokenPicture) -> UserError:
    return UserError(f"{path} {error}. Leave it out, or restore it.")


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} cannot be read: {error.strerror or error}. Leave it out, or restore it.")


def _exact(image: Image.Image) -> bool:
    deep = isinstance(image, PngImageFile) and bool(image.tile) and "16" in str(image.tile[0][3])
    return image.mode in STORED and not deep


def _texts(image: Image.Image) -> dict[str, Any]:
    """The texts of a PNG, to be written again."""
    if not isinstance(image, PngImageFile):
        return {}
    image.load()  # Texts may stand after the pixels.
    if not image.text:
        return {}
    kept = PngInfo()
    for name, text in image.text.items():
        kept.add_text(name, str(text)) if str(text).isascii() else kept.add_itxt(name, str(text))
    return {"pnginfo": kept}


def _orientation(image: Image.Image) -> int:
    """As it is read when pictures are decoded: what cannot be read says nothing."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # Pillow raises what it likes.
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _compression(image: Image.Image, kind: str) -> dict[str, Any]:
    """How strongly the file is compressed, where it says so."""
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.layers == 3:
        return {"qtables": image.quantization, "subsampling": JpegImagePlugin.get_sampling(image)}
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return {"qtables": image.quantization}
    if kind == "TIFF" and image.info.get("compression") in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        return {"compression": image.info["compression"]}
    return {"quality": 95} if kind == "WEBP" else {}
