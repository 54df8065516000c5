"""Short-time Fourier transform of waves and its inverse.

Frames begin at the first sample and go to the last, which is padded with zeros to a whole frame: n samples give
``ceil(n / hop)`` frames, as SpecGAN counts (16,384 samples and a hop of 128 are 128 frames).
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.shapes import Waves

Window = Float[Tensor, " size"]
Spectra = Complex[Tensor, "*n frames bins"]


def hann(size: int, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Window:
    """The periodic Hann window, ``sin^2(pi t / size)``."""
    return torch.hann_window(size, periodic=True, device=device, dtype=dtype)


def stft(waves: Waves, window: Window, hop: int) -> Spectra:
    """The Fourier transform of every windowed frame: ``size / 2 + 1`` bins of it."""
    frames = -(-waves.shape[-1] // hop)
    padded = F.pad(waves, (0, max((frames - 1) * hop + len(window) - waves.shape[-1], 0)))
    return torch.fft.rfft(padded.unfold(-1, len(window), hop)[..., :frames, :] * window)


def inverse_stft(spectra: Spectra, synthesis: Window, hop: int, *, length: int) -> Waves:
    """The frames laid over each other, each under the ``synthesis`` window, cut to ``length`` samples.

    With :func:`synthesis_window` this undoes :func:`stft` from the sample ``size - hop`` on. Before it, where fewer
    frames lie over each other, the gain rises from 0 to 1. With the window of analysis instead, the gain goes up and
    down once per hop.
    """
    frames = torch.fft.irfft(spectra, n=len(synthesis)) * synthesis
    flat = frames.flatten(0, -3) if frames.dim() > 3 else frames.reshape(-1, *frames.shape[-2:])
    whole = (flat.shape[1] - 1) * hop + len(synthesis)
    laid = F.fold(flat.transpose(1, 2), (1, whole), (1, len(synthesis)), stride=(1, hop))
    return F.pad(laid.reshape(*frames.shape[:-2], whole), (0, length - whole))


def synthesis_window(window: Window, hop: int) -> Window:
    """``w / sum of w^2``: what makes frames that lie over each other, windowed twice, add up to the wave.

    Args:
        hop: A divisor of the window's length.
    """
    return window / window.square().view(-1, hop).sum(0).repeat(len(window) // hop)
