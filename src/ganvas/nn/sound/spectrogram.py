"""The spectrogram of a sound as levels in decibels, for eyes and for measures."""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Waves
from ganvas.nn.sound.stft import hann, stft

FRAME_SECONDS = 0.032  # Of a window, to the nearest power of two: long enough to part harmonics of a voice.
LOWEST = 1e-6  # Amplitude of -120 dB, below which everything is one level.


def frame_size(rate: int, length: int) -> int:
    """Samples of a window at a rate: a power of two, no longer than the sound.

    >>> frame_size(8000, 4096), frame_size(16000, 16384), frame_size(16000, 100)
    (256, 512, 64)
    """
    size = 1 << max(round(rate * FRAME_SECONDS).bit_length() - 1, 4)
    return min(size, 1 << (length.bit_length() - 1))


def levels(waves: Waves, size: int, hop: int) -> Float[Tensor, "*n bins frames"]:
    """``20 log10`` of the amplitude of every bin, of which a sine of full scale has 0 dB."""
    window = hann(size, device=waves.device, dtype=waves.dtype)
    amplitude = stft(waves, window, hop).abs() * (2 / window.sum())
    return 20 * torch.log10(amplitude.clamp_min(LOWEST)).transpose(-1, -2)
