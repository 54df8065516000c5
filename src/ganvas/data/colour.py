"""Channels: grey, grey with alpha, RGB, RGBA, and how one becomes another on bytes.

Alpha is composited on a background before anything is resized, so that colours hidden under transparent pixels never
leak into their neighbours.
"""

import numpy as np
from jaxtyping import UInt8

from ganvas.core.errors import UserError, did_you_mean

Colour = tuple[int, int, int]
Pictures = UInt8[np.ndarray, "n _ _ _"]  # 1 channel: grey, 2: grey and alpha, 3: RGB, 4: RGBA.


def parse_colour(text: str) -> Colour:
    """``white``, ``#ff8800``, ``rgb(255, 128, 0)`` as three bytes."""
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        raise UserError(
            f"'{text}' is not a colour.{did_you_mean(text, ImageColor.colormap)} "
            "Colours are written as a name (white) or as #rrggbb."
        ) from None
    return red, green, blue


def own_channels(channels: int, background: Colour) -> int:
    """What a picture becomes when nothing is asked: grey stays grey, the rest RGB, alpha goes onto ``background``."""
    if channels == 2:
        return 1 if background[0] == background[1] == background[2] else 3
    return 1 if channels == 1 else 3


def to_channels(pictures: Pictures, channels: int, background: Colour) -> Pictures:
    """The same pictures with 1, 3 or 4 channels.

    ``out = colour * alpha + background * (1 - alpha)`` to the nearest byte; grey of RGB is the luma of ITU-R BT.601,
    ``(19595 R + 38470 G + 7471 B) / 2^16`` to the nearest byte.
    """
    have = pictures.shape[-1]
    if have == channels:
        return pictures
    if have in (2, 4):
        colour, alpha = pictures[..., : have - 1], pictures[..., have - 1 :]
        if channels == 4:
            return np.concatenate([_to_rgb(colour), alpha], axis=-1)
        if channels == 3 or own_channels(have, background) == 3:
            colour, under = _to_rgb(colour), np.array(background, np.uint16)
        else:
            under = np.array(background[:1], np.uint16)
        pictures = _composite(colour, alpha, under)
    if channels == 1:
        return pictures if pictures.shape[-1] == 1 else _luma(pictures)
    pictures = _to_rgb(pictures)
    if channels == 4:
        return np.concatenate([pictures, np.full_like(pictures[..., :1], 255)], axis=-1)
    return pictures


def _composite(colour: Pictures, alpha: Pictures, under: np.ndarray) -> Pictures:
    weight = alpha.astype(np.uint16)  # 255 * 255 + 127 still fits.
    return ((colour * weight + under * (255 - weight) + np.uint16(127)) // np.uint16(255)).astype(np.uint8)


def _to_rgb(pictures: Pictures) -> Pictures:
    return pictures if pictures.shape[-1] == 3 else np.repeat(pictures, 3, axis=-1)


def _luma(pictures: Pictures) -> Pictures:
    weighted = pictures.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
    return ((weighted + 0x8000) >> 16).astype(np.uint8)[..., None]
