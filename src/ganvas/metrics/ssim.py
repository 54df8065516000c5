"""Structural similarity of pictures and their targets: whether the same structures are at the same places.

Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity, eq. 13.
https://doi.org/10.1109/TIP.2003.819861

Picture i of one set is compared with picture i of the other (reconstructions, translations, fillings-in): brightness,
contrast and pattern in every window of 11 x 11 pixels. 1 for equal pictures, near 0 for unrelated ones, below 0 for
negatives. The mean over pixels, channels and pictures.

Standard error: the deviation over pairs by the square root of their number.

The details are those of the paper: a Gaussian window of deviation 1.5, K = (0.01, 0.03), population variances, no
padding. Departs from it where a side has fewer than 11 pixels: the window and its deviation shrink with it, instead of
a refusal. Colours are compared channel by channel; alpha counts as a channel. All in float64.

Memory: every picture of both sides, in temporary files from 1 GiB per side on.
"""

from dataclasses import dataclass

from ganvas.core.results import Result
from ganvas.metrics.maths.pairs import paired, ssim_map
from ganvas.metrics.maths.pairs.paired import Pictures

NAME = "ssim"
TITLE = "Structural similarity"
BETTER = "higher"
SEES = "pixels"
PAIRED = True
MINIMUM = 2


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures."""


TINY = Config()


class Accumulator(Pictures):
    """Every picture of one set."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The mean similarity of pairs ("ssim")."""
    found = paired.over_pairs(
        real, fake, lambda x, y: ssim_map.ssim(x.double(), y.double()), name=NAME, title=TITLE, quiet=quiet
    )
    said = f"{paired.protocol(fake, NAME)}:window{ssim_map.WINDOW}:sigma{ssim_map.SIGMA}"
    return [paired.mean_result(found, fake, metric=NAME, protocol=said)]
