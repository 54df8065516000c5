"""Spectrograms of magnitude and instantaneous frequency, from which waves are made again without looking for phases.

Engel et al.: GANSynth (ICLR 2019), section 2, https://arxiv.org/abs/1902.08710, and the authors' code. A steady tone
turns its phase by the same angle from frame to frame: the phase itself looks like noise, and how far it turns is a flat
stripe. The numbers that bring both to [-1, 1] are those of that code for notes.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images, Waves
from ganvas.nn.sound.stft import hann, inverse_stft, stft, synthesis_window

OVERLAP = 4  # Windows over every sample.
LEAST = 1e-6  # Added to every magnitude.
SLOPE, LEVEL = 0.0661, 0.1137  # Of the logarithm of a magnitude under the window of 2,048 samples.
PUBLISHED_SUM = 1024.0  # Of that window.
FREQUENCY_SHARE = 0.8  # What a frequency of 1 becomes.

Phases = Float[Tensor, "*n frames bins"]


class FrequencySpectrogram(nn.Module):
    """Between waves and pictures (n, 2, frames, bins) in [-1, 1]: logarithms of magnitudes, and frequencies.

    Windows have twice as many samples as there are bins, and begin before the sound, so that its first samples lie
    under four of them; none goes beyond its end, where the way back fades out under fewer. The bin of 0 Hz is left out.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.size, self.hop = 2 * bins, 2 * bins // OVERLAP

    def forward(self, waves: Waves) -> Images:
        """Pictures of waves whose length is a multiple of the hop."""
        window = hann(self.size, device=waves.device, dtype=waves.dtype)
        before = self.size - self.hop
        frames = waves.shape[-1] // self.hop
        spectra = stft(nn.functional.pad(waves, (before, 0)), window, self.hop)[..., :frames, 1:]
        logarithms = torch.log(spectra.abs() * (PUBLISHED_SUM / window.sum()) + LEAST)
        magnitudes = SLOPE * logarithms + LEVEL
        return torch.stack([magnitudes, FREQUENCY_SHARE * frequencies(spectra.angle())], 1).clamp(-1, 1)

    def inverse(self, pictures: Images) -> Waves:
        """Waves of pictures, as long as their frames are."""
        window = hann(self.size, device=pictures.device, dtype=pictures.dtype)
        logarithms = ((pictures[:, 0] - LEVEL) / SLOPE).clamp_max(math.log(PUBLISHED_SUM))  # No wave has more.
        magnitudes = (logarithms.exp() - LEAST).clamp_min(0) * (window.sum() / PUBLISHED_SUM)
        spectra = torch.polar(magnitudes, phases(pictures[:, 1] / FREQUENCY_SHARE))
        spectra = nn.functional.pad(spectra, (1, 0))  # Nothing at 0 Hz.
        before, length = self.size - self.hop, pictures.shape[2] * self.hop
        synthesis = synthesis_window(window, self.hop)
        return inverse_stft(spectra, synthesis, self.hop, length=before + length)[..., before:]


def frequencies(phases: Phases) -> Phases:
    """How far phases turn from one frame to the next, in half turns from -1 to 1; of the first frame, the phase.

    Of a sinusoid of f hertz it is ``2 f hop / rate``, as far as that goes beyond whole turns.
    """
    turns = torch.cat([phases[..., :1, :], phases.diff(dim=-2)], -2) / math.pi
    return turns - 2 * torch.ceil((turns - 1) / 2)  # In (-1, 1].


def phases(frequencies: Phases) -> Phases:
    """The phases that turn so."""
    return math.pi * frequencies.cumsum(-2)
