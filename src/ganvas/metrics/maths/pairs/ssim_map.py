"""Structural similarity of pairs of pictures: the floor under SSIM and MS-SSIM.

Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity.
https://doi.org/10.1109/TIP.2003.819861

An 11 x 11 Gaussian window of deviation 1.5 where it fits wholly (no padding), K = (0.01, 0.03), population variances,
each channel by itself. Where a side is shorter than the window, the window and its deviation shrink with it.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import PerSample

WINDOW, SIGMA = 11, 1.5  # Side and deviation of the Gaussian window, pixels.
K1, K2 = 0.01, 0.03
TILE = 128  # Outputs of one banded product.
CHUNK_PIXELS = 1 << 18  # Of one side of the pairs compared at a time, so that their planes stay in the cache.

Pictures = Float[Tensor, "n c h w"]


def ssim(x: Pictures, y: Pictures, *, data_range: float = 255.0) -> PerSample:
    """Structural similarity of each pair of pictures, mean over pixels and channels (Wang et al. 2004, eq. 13)."""
    return similarity(x, y, data_range)[0]


def window(size: int, dtype: torch.dtype) -> Float[Tensor, " size"]:
    """The Gaussian window along one axis, of sum 1; smaller ones have the shape of the whole one."""
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    sigma = SIGMA * size / WINDOW
    weights = torch.exp(-(place**2) / (2 * sigma**2))
    return (weights / weights.sum()).to(dtype)


def similarity(x: Pictures, y: Pictures, data_range: float) -> tuple[PerSample, PerSample]:
    """SSIM and its contrast part, means over pixels and channels."""
    whole, contrast = maps(x, y, data_range)
    return whole.mean((1, 2, 3)), contrast.mean((1, 2, 3))


def maps(
    x: Pictures, y: Pictures, data_range: float = 255.0, *, box: int | None = None
) -> tuple[Float[Tensor, "n c h2 w2"], Float[Tensor, "n c h2 w2"]]:
    """SSIM and its contrast part of every window that fits wholly.

    ``box`` asks for windows of so many pixels that all weigh alike, with variances of a sample: what
    ``skimage.metrics.structural_similarity`` does where nothing else is said.

    From the sum and the difference of the pictures: four filtered planes, not five.

    ``var(x + y) - var(x - y) = 4 cov(x, y)`` and ``var(x + y) + var(x - y) = 2 (var x + var y)``, as for the means.
    Half the range is taken off first, because a variance is a small difference of large squares.
    """
    half, c1, c2 = data_range / 2, (K1 * data_range) ** 2, (K2 * data_range) ** 2
    if box is None:
        kernel = window(min(WINDOW, *x.shape[2:]), x.dtype).to(x.device)
    else:
        kernel = x.new_full((box,), 1 / box)
        c2 *= 1 - 1 / box**2  # As if both variances were multiplied by n / (n - 1).
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
    return brightness * contrast, contrast


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
