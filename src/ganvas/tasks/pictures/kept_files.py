"""Pictures that keep what their files say: format, size, orientation, colour profile, transparency.

A picture is read upright, changed, and written as it came: turned back as the camera held it, with its EXIF and its
colour profile, in its format and with the compression that its format tells (a JPEG's own tables). Its transparency is
laid over the change again.
"""

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, JpegImagePlugin

from ganvas.core.errors import UserError
from ganvas.data.colour import to_channels
from ganvas.data.pictures import decode

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
_ORIENTATION = 0x0112

Pixels = UInt8[np.ndarray, "_ _ _"]  # Height, width, channels.


@dataclass(frozen=True, kw_only=True)
class KeptPicture:
    """One picture and what else its file holds."""

    pixels: Pixels  # Upright; 1 (grey), 2 (grey and alpha), 3 or 4 channels, as the file has them.
    format: str  # Pillow's name of the file's format.
    orientation: int = 1  # How the file's pixels are turned, 1 to 8.
    saved: dict[str, Any] = field(default_factory=dict)  # What Pillow is told when it writes the file again.

    @property
    def ending(self) -> str | None:
        """Another ending that the name must take, since the format cannot be written; None where it stays."""
        return None if self.format in WRITTEN else ".png"

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
        whole = np.ascontiguousarray(self._with_alpha(pixels))
        image = Image.fromarray(whole[..., 0] if whole.shape[2] == 1 else whole)
        for turn in TURNS.get(self.orientation, ()):
            image = image.transpose(turn)
        buffer = io.BytesIO()
        image.save(buffer, format="PNG" if self.ending else self.format, **self.saved)
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
        saved |= _compression(image, kind)
    return KeptPicture(pixels=pixels, format=kind, orientation=orientation, saved=saved)


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
