"""A sound as 64 x 64 levels: 64 bands of mel at 64 moments, in decibels. What classifiers of sounds see."""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Waves
from ganvas.nn.sound.mel import mel_weights
from ganvas.nn.sound.stft import hann, stft

SIDE = 64
LOW, HIGH_SHARE = 40.0, 0.4875  # Of the bands, in hertz and as a share of the rate: 40 to 7,800 Hz at 16 kHz.
SHORTEST_WINDOW = 256
QUIETEST = -80.0  # Decibels below full scale, under which everything is one level.

MelLevels = Float[Tensor, "n bands frames"]


def mel_levels(waves: Waves, rate: int) -> MelLevels:
    """``10 log10`` of the power of every band, 0 dB that of a sine of full scale; low bands first.

    Windows reach over four moments, to a power of two samples.
    """
    hop = -(-waves.shape[-1] // SIDE)
    size = max(SHORTEST_WINDOW, 1 << (4 * hop - 1).bit_length())
    window = hann(size, device=waves.device, dtype=waves.dtype)
    power = (stft(waves, window, hop).abs() * (2 / window.sum())).square()
    weights = mel_weights(SIDE, size // 2 + 1, rate, low=LOW, high=HIGH_SHARE * rate).to(power)
    return 10 * torch.log10((power @ weights).clamp_min(10 ** (QUIETEST / 10))).transpose(-1, -2)
