"""A sound to look at: its wave, and below it how strong each frequency is at each moment."""

import numpy as np
from jaxtyping import Float, UInt8

from ganvas.report.drawing.palette import BLUE, rgb, shaded

WIDTH, WAVE_HEIGHT, GAP = 256, 48, 2
QUIET = -80.0  # Decibels below full scale that are the darkest colour.
PAPER, MIDDLE = 255, 208  # Grey of the ground and of the line of 0.


def sound_picture(
    wave: Float[np.ndarray, " samples"], levels: Float[np.ndarray, "bins frames"], *, width: int = WIDTH
) -> UInt8[np.ndarray, "h w 3"]:
    """The wave above, from -1 to 1, and the spectrogram below, low frequencies at its foot.

    Args:
        wave: Samples in [-1, 1].
        levels: In decibels of full scale; a pixel per bin.
        width: Pixels that the whole sound takes.
    """
    columns = (np.arange(width) * levels.shape[1]) // width
    spectrogram = shaded(levels[::-1, columns], low=QUIET, high=0.0)
    between = np.full((GAP, width, 3), PAPER, np.uint8)
    return np.concatenate([wave_picture(wave, width=width), between, spectrogram])


def wave_picture(wave: Float[np.ndarray, " samples"], *, width: int = WIDTH) -> UInt8[np.ndarray, "h w 3"]:
    """From the least to the greatest sample of every column, in blue."""
    if len(wave) < width:
        wave = np.repeat(wave, -(-width // len(wave)))
    starts = (np.arange(width) * len(wave)) // width
    ends = np.stack([np.maximum.reduceat(wave, starts), np.minimum.reduceat(wave, starts)])
    top, foot = np.rint(np.clip((1 - ends) / 2, 0, 1) * (WAVE_HEIGHT - 1))
    rows = np.arange(WAVE_HEIGHT)[:, None]
    out = np.full((WAVE_HEIGHT, width, 3), PAPER, np.uint8)
    out[WAVE_HEIGHT // 2] = MIDDLE
    out[(rows >= top) & (rows <= foot)] = rgb(BLUE)
    return out
