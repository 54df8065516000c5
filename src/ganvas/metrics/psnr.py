"""Peak signal-to-noise ratio of pictures and their targets: how small the error of a pixel is, in decibels.

For pictures in 8 bits, 10 log10(255^2 / mean squared error), the measure of image coding; what it can say of quality,
and what not: Huynh-Thu and Ghanbari 2008, Scope of Validity of PSNR. https://doi.org/10.1049/el:20080522

Picture i of one set is compared with picture i of the other (reconstructions, translations, fillings-in). Every factor
of 10 in the error of a pixel is 20 dB; an error of one grey level everywhere is 48.13 dB.

"psnr" is the mean of the pictures' ratios, as papers on super-resolution report it. "psnr.of_mean_error" is the ratio
of the mean squared error of the whole set, which torchmetrics calls PSNR: not above the other where no pair is
identical, and ruled by the worst pictures where the other is by the best. "psnr.identical" is the share of pairs
without any error.

A pair without any error has the ratio infinity, which no mean survives. It counts as if one value of the picture were
off by one level, the smallest error that bytes can have: 10 log10(255^2 c h w), 83.0 dB for 32 x 32 pixels in colour.
So a set against itself has that value. The ratio of the mean error is taken likewise: one value of the set.

Standard error: the deviation over pairs by the square root of their number; of the ratio of the mean error by the
derivative of the logarithm (delta method).

Squared errors are added up as integers, exactly. Memory: every picture of both sides, in temporary files from 1 GiB
per side on.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Shaped
from torch import Tensor

from ganvas.core.results import Result
from ganvas.core.shapes import PerSample
from ganvas.metrics.maths.pairs import paired
from ganvas.metrics.maths.pairs.paired import Pictures

NAME = "psnr"
TITLE = "Peak signal-to-noise ratio"
BETTER = "higher"
SEES = "pixels"
PAIRED = True
MINIMUM = 2

PEAK = 255.0
DELTA = "delta method over pairs of pictures"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures."""


TINY = Config()


class Accumulator(Pictures):
    """Every picture of one set."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The mean ratio ("psnr"), the ratio of the mean error and the share of pairs without any."""
    errors = paired.over_pairs(real, fake, squared_error, name=NAME, title=TITLE, quiet=quiet)
    values, said = math.prod(real.shape or (1,)), paired.protocol(fake, NAME)
    ratios = psnr(errors, finest=1 / values)
    whole = paired.mean_result(errors, fake, metric=f"{NAME}.of_mean_error", protocol=f"{said}:of-mean-error")
    return [
        paired.mean_result(ratios, fake, metric=NAME, protocol=f"{said}:mean-of-pictures"),
        _of_mean_error(whole, finest=1 / (values * fake.n)),
        paired.mean_result((errors == 0).double(), fake, metric=f"{NAME}.identical", protocol=said),
    ]


def squared_error(x: Shaped[Tensor, "n c h w"], y: Shaped[Tensor, "n c h w"]) -> PerSample:
    """The mean squared error of each pair, float64; of bytes exact."""
    wide = torch.int64 if x.dtype == torch.uint8 else torch.float64
    return (x.to(wide) - y.to(wide)).square().flatten(1).sum(1).double() / max(1, x[0].numel())


def psnr(errors: PerSample, *, finest: float = 0.0, peak: float = PEAK) -> PerSample:
    """Ratios by mean squared errors, in dB; an error below ``finest`` counts as that.

    >>> psnr(torch.tensor([1.0, 100.0, 0.0]).double())
    tensor([48.1308, 28.1308,     inf], dtype=torch.float64)
    """
    return 10 * torch.log10(peak**2 / errors.clamp_min(finest))


def _of_mean_error(error: Result, *, finest: float) -> Result:
    mean = max(error.value, finest)
    return Result(
        metric=error.metric,
        value=10 * math.log10(PEAK**2 / mean),
        standard_error=10 / math.log(10) * (error.standard_error or 0.0) / mean,
        error_method=DELTA,
        n=error.n,
        seed=error.seed,
        better="higher",
        protocol=error.protocol,
    )
