"""The mel scale: ``1127 ln(1 + f / 700)``, and bands of it that overlap as triangles."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def mel_of(hertz: float) -> float:
    """The place of a frequency on the scale.

    >>> round(mel_of(1000))
    1000
    """
    return 1127.0 * math.log1p(hertz / 700.0)


def mel_weights(bands: int, bins: int, rate: int, *, low: float, high: float) -> Float[Tensor, "bins bands"]:
    """What every bin of a spectrum (0 to ``rate / 2`` hertz) counts in every band.

    A band is a triangle on the mel scale, of height 1, whose feet stand under the tops of its neighbours; the bin of
    0 Hz counts in none (as in TensorFlow's ``linear_to_mel_weight_matrix``).
    """
    assert 0 <= low < high <= rate / 2, f"bands lie between 0 and {rate / 2} Hz"
    places = 1127.0 * torch.log1p(torch.linspace(0, rate / 2, bins, dtype=torch.float64)[:, None] / 700.0)
    edges = torch.linspace(mel_of(low), mel_of(high), bands + 2, dtype=torch.float64)
    rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
    weights = torch.minimum(rising, falling).clamp_min(0)
    weights[0] = 0
    return weights
