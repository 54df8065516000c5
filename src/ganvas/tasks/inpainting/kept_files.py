"""Picture files that are changed in some pixels and keep everything else: format, size, orientation, profile, alpha.

A file is decoded twice: as a network sees it (upright, grey or RGB), and as it is stored. Only the pixels of the hole
are exchanged in what is stored, so that all others are the same numbers, and the file is written in a form that keeps
numbers.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, UInt8

from ganvas.core.errors import UserError
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.encoded.file_kinds import START_BYTES, pillow_format
from ganvas.data.pictures import decode

if TYPE_CHECKING:
    from PIL.Image import Image

ORIENTATION = 0x0112
# Formats that are written as they came, with what makes Pillow keep every number.
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "BMP": {},
    "PPM": {},
    "TIFF": {"compression": "tiff_deflate"},
    "WEBP": {"lossless": True, "exact": True, "quality": 80},
    "TGA": {},
}
STORED = ("L", "LA", "RGB", "RGBA")  # Modes whose numbers are exchanged as they are.
# How an upright picture becomes the stored one, by its EXIF orientation: flipped up and down, flipped left and right,
# then transposed.
TURNS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (True, True, False),
    4: (True, False, False),
    5: (False, False, True),
    6: (False, True, True),
    7: (True, True, True),
    8: (True, False, True),
}


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """One picture file, open to be changed.

    Attributes:
        upright: As a person sees it: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels.
        stored: As the file has it.
    """

    path: Path
    content: bytes
    upright: UInt8[np.ndarray, "h w c"]
    stored: "Image"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width as a person sees them."""
        return self.upright.shape[0], self.upright.shape[1]

    def colours(self, channels: int, background: tuple[int, int, int] = (255, 255, 255)) -> UInt8[np.ndarray, "h w c2"]:
        """The upright picture in grey (1) or RGB (3), transparent pixels over a background."""
        from ganvas.data.colour import to_channels

        return to_channels(self.upright[None], channels, background)[0]

    def with_hole(self, filled: UInt8[np.ndarray, "h w c2"], hole: Bool[np.ndarray, "h w"]) -> bytes:
        """The file with the colours of ``filled`` in the hole; alpha and everything else as it was."""
        if not hole.any():
            return self.content
        pixels = np.array(_plain_mode(self.stored))
        given, place = _stored_turn(filled, self._orientation), _stored_turn(hole, self._orientation)
        planes = pixels[..., None] if pixels.ndim == 2 else pixels
        colours = planes.shape[2] - (1 if planes.shape[2] in (2, 4) else 0)
        planes[..., :colours][place] = _as_many(given, colours)[place]
        return self._encoded(pixels)

    @property
    def _orientation(self) -> int:
        found = self.stored.getexif().get(ORIENTATION, 1) if self.stored.format != "TIFF" else 1
        return found if isinstance(found, int) and found in TURNS else 1

    def _encoded(self, pixels: np.ndarray) -> bytes:
        from PIL import Image

        kind = self.stored.format or "PNG"
        options = dict(LOSSLESS.get(kind, {}))
        for name in ("icc_profile", "exif", "dpi"):
            if self.stored.info.get(name):
                options[name] = self.stored.info[name]
        if kind in ("PNG", "JPEG"):
            options |= _texts(self.stored)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format=kind if kind in LOSSLESS else "PNG", **options)
        return buffer.getvalue()


def open_kept(path: Path) -> KeptFile:
    """Reads a picture file.

    Raises:
        UserError: it cannot be read, or holds what cannot be kept as it is.
    """
    from PIL import Image

    try:
        content = path.read_bytes()
        upright = decode(content)
        stored = Image.open(io.BytesIO(content))
        stored.load()
    except BrokenPicture as error:
        raise UserError(f"{path} {error}. Leave it out, or restore it.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}. Leave it out, or restore it.") from None
    if stored.mode not in (*STORED, "P", "1"):
        raise UserError(
            f"{path} is of mode {stored.mode}, whose numbers would not be kept as they are. Save it as 8-bit grey, RGB "
            "or RGBA, for instance as PNG."
        )
    return KeptFile(path=path, content=content, upright=upright, stored=stored)


def kept_suffix(path: Path) -> str:
    """The ending of the file that keeps every pixel outside of a hole: its own, or .png where its format would not."""
    try:
        with path.open("rb") as file:
            kind = pillow_format(file.read(START_BYTES))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. Leave it out, or restore it.") from None
    return path.suffix if kind in LOSSLESS else ".png"


def _plain_mode(image: "Image") -> "Image":
    """Palettes and bits as the colours that they stand for."""
    if image.mode in STORED and "transparency" not in image.info:
        return image
    if "transparency" in image.info:
        return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _stored_turn(upright: np.ndarray, orientation: int) -> np.ndarray:
    """An upright picture as it is stored: the turn undone."""
    up_down, left_right, transposed = TURNS[orientation]
    turned = upright[::-1] if up_down else upright
    turned = turned[:, ::-1] if left_right else turned
    return np.swapaxes(turned, 0, 1) if transposed else turned


def _as_many(colours: np.ndarray, channels: int) -> np.ndarray:
    """Grey as RGB, or RGB as grey by the weights that Pillow has."""
    if colours.shape[2] == channels:
        return colours
    if channels == 3:
        return np.repeat(colours[..., :1], 3, axis=2)
    weights = np.array([19595, 38470, 7471], np.int64)
    return ((colours[..., :3].astype(np.int64) @ weights + 0x8000) >> 16).astype(np.uint8)[..., None]


def _texts(image: "Image") -> dict[str, Any]:
    """The texts of a PNG, to be written again."""
    from PIL.PngImagePlugin import PngImageFile, PngInfo

    if not isinstance(image, PngImageFile) or not image.text:
        return {}
    kept = PngInfo()
    for name, text in image.text.items():
        kept.add_itxt(name, str(text)) if not str(text).isascii() else kept.add_text(name, str(text))
    return {"pnginfo": kept}
