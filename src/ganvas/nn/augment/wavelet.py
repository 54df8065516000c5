"""The wavelet sym6 as two linear maps: pictures are refined twice with it and brought back without a loss.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data (NeurIPS
2020, ADA), https://arxiv.org/abs/2006.06676, appendix B: geometric transformations read a picture that was refined with
an orthogonal filter, so that what is moved by whole pixels comes back exactly, and what is turned is neither blurred
nor jagged. The filter is Daubechies' "symlet" with six vanishing moments. It is only nearly symmetric.

Both maps are small matrices, one per side of a picture. Beyond its border a picture goes on as its mirror image (the
border's pixels are not doubled), so refined pictures have the period ``4 (size - 1)``.
"""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)  # Of unit norm, and orthogonal to itself moved by any even number of places.
PEAK = 5  # The filter's largest tap: a pixel i stands at the refined place 2 i.


def mirrored_places(places: Tensor, size: int) -> Tensor:
    """Whole places on an endless row of mirror images, brought back into ``[0, size)``.

    >>> mirrored_places(torch.arange(-3, 6), 3).tolist()
    [1, 2, 1, 0, 1, 2, 1, 0, 1]
    """
    period = max(2 * (size - 1), 1)
    wrapped = places % period
    return torch.minimum(wrapped, period - wrapped) if size > 1 else torch.zeros_like(places)


def refined_period(size: int) -> int:
    """Refined places after which a picture and its mirror image repeat."""
    return max(4 * (size - 1), 1)


@lru_cache(maxsize=64)
def refining(size: int, device: torch.device, dtype: torch.dtype) -> Float[Tensor, "fine coarse"]:
    """``u_k = sqrt(2) sum_i h[k - 2i + 5] x_i`` over one period of the mirrored row, and its first place once more.

    Kept once made, as a captured graph of kernels may not wait for a copy from the host.
    """
    period = refined_period(size)
    pixels = torch.arange(-len(SYM6), period // 2 + len(SYM6))  # As far as the filter reaches around one period.
    places = torch.arange(period)
    taps = places[:, None] - 2 * pixels + PEAK
    within = (taps >= 0) & (taps < len(SYM6))
    values = torch.tensor(SYM6, dtype=torch.float64)[taps.clamp(0, len(SYM6) - 1)] * within
    matrix = torch.zeros(period, size, dtype=torch.float64).index_add_(1, mirrored_places(pixels, size), values)
    return (2**0.5 * torch.cat([matrix, matrix[:1]])).to(device, dtype)


@lru_cache(maxsize=64)
def coarsening(size: int, device: torch.device, dtype: torch.dtype) -> Float[Tensor, "coarse fine"]:
    """``x_i = sum_k h[k - 2i + 5] u_k / sqrt(2)`` of the places k from -5 to 2 (size - 1) + 6: the adjoint, halved."""
    taps = torch.arange(2 * (size - 1) + len(SYM6)) - 2 * torch.arange(size)[:, None]
    within = (taps >= 0) & (taps < len(SYM6))
    matrix = torch.tensor(SYM6, dtype=torch.float64)[taps.clamp(0, len(SYM6) - 1)] * within
    return (matrix / 2**0.5).to(device, dtype)
