"""TIFFs whose own tags say that Pillow would give other values than the file has.

TIFF 6.0 (Aldus 1992), sections 8 and 19: ``BitsPerSample``, ``SampleFormat``, ``PhotometricInterpretation``,
``PlanarConfiguration``. Pillow gives signed and 32-bit numbers without their range, leaves 16-bit grey whose zero is
white as it is, counts 12-bit grey from 0 to 4095, and mixes the bytes of planes that are stored apart in 16 bits.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.data.encoded.broken_picture import BrokenPicture

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION, _PLANAR, _COLORMAP, _FORMAT = 256, 257, 258, 262, 274, 284, 320, 339
_UNSIGNED, _SIGNED = 1, 2
_WHITE_IS_ZERO, _PALETTE = 0, 3
_APART = 2


@dataclass(frozen=True, kw_only=True)
class Samples:
    """How the numbers of a grey picture of more than 8 bits are meant."""

    largest: int = 0xFFFF  # The number that stands for the other end from 0.
    inverted: bool = False  # 0 is white.


def checked_samples(image: "TiffImageFile") -> Samples:
    """What the tags say of the numbers.

    Raises:
        BrokenPicture: they are of a kind that would not be decoded as the file means them.
    """
    bits, formats = _all(image, _BITS, 1), _all(image, _FORMAT, _UNSIGNED)
    if any(number not in (_UNSIGNED, _SIGNED) for number in formats):
        raise BrokenPicture("has floating-point pixels of unknown range; save it as 8 or 16 bits")
    if _SIGNED in formats:
        raise BrokenPicture("has signed pixels of unknown range; save it as 8 or 16 bits without a sign")
    if max(bits) > 16:
        raise BrokenPicture(f"has {max(bits)}-bit pixels of unknown range; save it as 8 or 16 bits")
    _check_planes(image, bits)
    _check_palette(image)
    return Samples(largest=2 ** max(bits) - 1, inverted=image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO)


def turned_size(image: "TiffImageFile") -> tuple[int, int]:
    """Height and width after the rotation that the file records; Pillow's own size is turned in some versions only."""
    height, width = int(image.tag_v2[_HEIGHT]), int(image.tag_v2[_WIDTH])
    return (width, height) if image.tag_v2.get(_ORIENTATION) in (5, 6, 7, 8) else (height, width)


def _check_planes(image: "TiffImageFile", bits: tuple[int, ...]) -> None:
    apart = image.tag_v2.get(_PLANAR, 1) == _APART and len(bits) > 1
    if apart and (max(bits) != 8 or image.mode not in ("RGB", "RGBA", "CMYK")):
        raise BrokenPicture(
            f"has {max(bits)}-bit planes that are stored apart (PlanarConfiguration 2); "
            "save it as PNG, or as a TIFF with interleaved channels"
        )


def _check_palette(image: "TiffImageFile") -> None:
    """The colours of a palette are 16-bit numbers; some programs wrote 8-bit ones, and all would come out black."""
    if image.tag_v2.get(_PHOTOMETRIC) == _PALETTE:
        colours = image.tag_v2.get(_COLORMAP, ())
        if colours and 0 < max(colours) < 256:
            raise BrokenPicture("has a palette of 8-bit colours, where TIFF has 16-bit ones; save it as PNG")


def _all(image: "TiffImageFile", tag: int, default: int) -> tuple[int, ...]:
    value = image.tag_v2.get(tag, (default,))
    return tuple(value) if isinstance(value, tuple | list) else (int(value),)
