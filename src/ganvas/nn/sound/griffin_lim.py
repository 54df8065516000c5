"""Griffin-Lim: a wave whose spectra have given magnitudes, by going to and fro (Griffin & Lim 1984).

https://doi.org/10.1109/TASSP.1984.1164317
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Waves
from ganvas.nn.sound.stft import Window, inverse_stft, stft

Magnitudes = Float[Tensor, "*n frames bins"]


def griffin_lim(
    magnitudes: Magnitudes, window: Window, synthesis: Window, hop: int, *, length: int, iterations: int = 16
) -> Waves:
    """Waves of ``length`` samples, from phases of 0: each iteration keeps the phases of the wave, and no magnitude."""
    frames = magnitudes.shape[-2]
    whole = (frames - 1) * hop + len(window)
    waves = inverse_stft(torch.complex(magnitudes, torch.zeros_like(magnitudes)), synthesis, hop, length=whole)
    for _ in range(iterations):
        spectra = stft(waves, window, hop)[..., :frames, :]
        waves = inverse_stft(torch.polar(magnitudes, spectra.angle()), synthesis, hop, length=whole)
    return waves[..., :length]


def spectral_convergence(waves: Waves, magnitudes: Magnitudes, window: Window, hop: int) -> Tensor:
    """``| |STFT(x)| - M | / |M|`` over everything: 0 where the wave has the magnitudes."""
    found = stft(waves, window, hop)[..., : magnitudes.shape[-2], :].abs()
    return (found - magnitudes).norm() / magnitudes.norm()
