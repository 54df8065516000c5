"""Sound at the border and inside: 16-bit integers outside, floats in [-1, 1) inside. The only place that converts.

One scale both ways, so that what is read and written again is the same to the bit.
"""

import torch
from jaxtyping import Int16
from torch import Tensor

from ganvas.core.shapes import Waves

SCALE = 32768


def to_waves(samples: Int16[Tensor, "*n samples"]) -> Waves:
    """``x / 32768``."""
    return samples.to(torch.float32) / SCALE


def to_samples(waves: Waves) -> Int16[Tensor, "*n samples"]:
    """``round(32768 x)``, clipped to 16 bits: the inverse of :func:`to_waves`."""
    return (waves.double() * SCALE).round().clamp(-SCALE, SCALE - 1).to(torch.int16)
