"""MS-SSIM diversity: how alike pairs of generated pictures are, beside how alike pairs of real ones are.

Odena et al. 2017, Conditional Image Synthesis with Auxiliary Classifier GANs, section 4.2, on the multi-scale
structural similarity of Wang et al. 2003. https://arxiv.org/abs/1610.09585

The mean similarity of the pictures 2i and 2i + 1 of a set, in [0, 1]: 1 when all are the same picture. A model that
varies as its data does scores what the data scores; higher means that it repeats itself. It says nothing of quality:
noise scores near 0. The order of the pictures must be random: neighbours in a folder sorted by class are alike.

Standard error: the deviation over pairs, which share no picture, by the square root of their number.

The details are those of Karras et al. 2018, whose table quotes this number: 10,000 pairs; one similarity per picture
and level, the mean over pixels and channels, before the product over levels; borders without padding; negative
similarities count as 0; where a level is smaller than the 11 x 11 window, the window and its deviation shrink with it,
so that pictures of 32 pixels work. Other packages multiply per channel first, and refuse small pictures: their values
do not compare.

Memory: a float per pair, and every picture whose partner has not come yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.results import Result
from ganvas.core.shapes import PerSample
from ganvas.metrics.contract import Stats, require_pair
from ganvas.metrics.rows import Rows

NAME = "ms_ssim"
TITLE = "MS-SSIM diversity"
BETTER = "neither"
SEES = "pixels"
MINIMUM = 4

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, section 3.2, finest level first.
WINDOW, SIGMA = 11, 1.5  # Side and deviation of the Gaussian window, pixels.
K1, K2 = 0.01, 0.03
TILE = 128  # Outputs of one banded product.
CHUNK_PIXELS = 1 << 18  # Of one side of the pairs compared at a time, so that their planes stay in the cache.
ERROR_METHOD = "deviation over pairs of pictures"

Pictures = Float[Tensor, "n c h w"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures."""


TINY = Config()


class Accumulator(Stats):
    """The similarity of every whole pair so far, and the pictures still without a partner."""

    Config = Config

    def _add(self, rows: Tensor, index: Tensor) -> None:
        self._append("waiting", rows)
        self._append("waiting_index", index)
        self._settle()

    def _settle(self) -> None:
        """Compares the pairs that are whole."""
        waiting, index = self.tables.pop("waiting").all(), self.tables.pop("waiting_index").all()
        order = index.argsort()
        waiting, index = waiting[order], index[order]
        first = torch.nonzero((index[:-1] % 2 == 0) & (index[1:] == index[:-1] + 1)).flatten()
        for few in first.split(max(1, CHUNK_PIXELS // waiting[0].numel())) if len(first) else []:
            self._append("similarity", ms_ssim(waiting[few].float(), waiting[few + 1].float()).double())
        alone = torch.ones(len(index), dtype=torch.bool)
        alone[first] = alone[first + 1] = False
        self.tables |= {"waiting": Rows(), "waiting_index": Rows()}
        self._append("waiting", waiting[alone])
        self._append("waiting_index", index[alone])


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The generated pictures' similarity ("ms_ssim") and the reals' ("ms_ssim.real"), which it should equal."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE)
    return [_result(fake, "ms_ssim"), _result(real, "ms_ssim.real")]


def ssim(x: Pictures, y: Pictures, *, data_range: float = 255.0) -> PerSample:
    """Structural similarity of each pair of pictures, mean over pixels and channels (Wang et al. 2004, eq. 13)."""
    return _similarity(x, y, data_range)[0]


def ms_ssim(x: Pictures, y: Pictures, *, data_range: float = 255.0) -> PerSample:
    """``prod_j contrast_j^w_j * ssim_last^w_last`` over five levels, each the mean of 2 x 2 pixels of the one before.

    Wang et al. 2003, eq. 7; in the precision of ``x``.
    """
    product = torch.ones(len(x), dtype=x.dtype, device=x.device)
    for level, weight in enumerate(WEIGHTS):
        both, contrast = _similarity(x, y, data_range)
        last = level == len(WEIGHTS) - 1
        product = product * (both if last else contrast).clamp_min(0) ** weight
        if not last:
            x, y = _halve(x), _halve(y)
    return product


def window(size: int, dtype: torch.dtype) -> Float[Tensor, " size"]:
    """The Gaussian window along one axis, of sum 1; smaller ones have the shape of the whole one."""
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    sigma = SIGMA * size / WINDOW
    weights = torch.exp(-(place**2) / (2 * sigma**2))
    return (weights / weights.sum()).to(dtype)


def _similarity(x: Pictures, y: Pictures, data_range: float) -> tuple[PerSample, PerSample]:
    """SSIM and its contrast part, from the sum and the difference of the pictures: four filtered planes, not five.

    ``var(x + y) - var(x - y) = 4 cov(x, y)`` and ``var(x + y) + var(x - y) = 2 (var x + var y)``, as for the means.
    Half the range is taken off first, because a variance is a small difference of large squares.
    """
    half, c1, c2 = data_range / 2, (K1 * data_range) ** 2, (K2 * data_range) ** 2
    kernel = window(min(WINDOW, *x.shape[2:]), x.dtype).to(x.device)
    total, apart = x + y, x - y
    total -= 2 * half
    planes = torch.cat([total, apart, total.square(), apart.square()])
    mean_total, mean_apart, spread_total, spread_apart = _filter(planes, kernel).chunk(4)
    square_apart = mean_apart.square()
    spread_total -= mean_total.square()
    spread_apart -= square_apart
    square_total = (mean_total + 2 * half).square()
    contrast = (spread_total - spread_apart + 2 * c2) / (spread_total + spread_apart + 2 * c2)
    brightness = (square_total - square_apart + 2 * c1) / (square_total + square_apart + 2 * c1)
    return (brightness * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _filter(x: Pictures, kernel: Float[Tensor, " size"]) -> Float[Tensor, "n c out_h out_w"]:
    """Filters rows and columns where the window fits wholly, as products with banded matrices.

    On a CPU several times as fast as a depthwise convolution; tiles keep the band narrow in large pictures.
    """
    columns = [x[..., cut] @ band.T for cut, band in _bands(x.shape[3], kernel)]
    x = columns[0] if len(columns) == 1 else torch.cat(columns, 3)
    rows = [band @ x[:, :, cut] for cut, band in _bands(x.shape[2], kernel)]
    return rows[0] if len(rows) == 1 else torch.cat(rows, 2)


def _bands(length: int, kernel: Float[Tensor, " size"]) -> Iterator[tuple[slice, Float[Tensor, "out span"]]]:
    """For every tile of outputs, which inputs it reads and the matrix that filters them."""
    size, outputs = len(kernel), length - len(kernel) + 1
    for start in range(0, outputs, TILE):
        out = min(TILE, outputs - start)
        offset = torch.arange(out + size - 1) - torch.arange(out)[:, None]
        inside = ((offset >= 0) & (offset < size)).to(kernel.device)
        yield slice(start, start + out + size - 1), torch.where(inside, kernel[offset.clamp(0, size - 1)], 0)


def _halve(x: Pictures) -> Float[Tensor, "n c half_h half_w"]:
    """Means of 2 x 2 pixels; an odd last row or column is repeated."""
    odd_h, odd_w = x.shape[2] % 2, x.shape[3] % 2
    return F.avg_pool2d(F.pad(x, (0, odd_w, 0, odd_h), mode="replicate") if odd_h or odd_w else x, 2)


def _result(side: Accumulator, metric: str) -> Result:
    similarity = side.tables["similarity"].all()
    channels, height, width = side.shape or (0, 0, 0)
    return Result(
        metric=metric,
        value=float(similarity.mean()),
        standard_error=float(similarity.std()) / len(similarity) ** 0.5 if len(similarity) > 1 else None,
        error_method=ERROR_METHOD,
        n=side.n,
        seed=side.seed,
        better=BETTER,
        protocol=f"ms_ssim:n{side.n}:{height}x{width}x{channels}:uint8:window{WINDOW}:sigma{SIGMA}:channels-first-mean",
    )
